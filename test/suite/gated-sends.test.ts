import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatedSends } from '../src/gated-sends.js';

/** Answers come all at once, as from one frame. */
function inOneTurn(count: number): { sends: GatedSends; answerAll(): void } {
  const answers: (() => void)[] = [];
  const send = (at: number): Promise<number> =>
    new Promise((resolve) => answers.push(() => resolve(at + 1)));
  const sends = new GatedSends({ count, inFlightMax: count, send });
  const answerAll = (): void => {
    for (const answer of answers.splice(0)) answer();
  };
  return { sends, answerAll };
}

test('what is to be done at an answer is done before the next one counts', async () => {
  const { sends, answerAll } = inOneTurn(8);
  sends.openTo(8);
  const seen = sends.atAnswer(3, () => [sends.answered, sends.inFlight]);
  answerAll();
  assert.deepEqual(await seen, [3, 5]);
  assert.equal(sends.answered, 8);
  assert.deepEqual(await sends.atAnswer(3, () => sends.answered), 8, 'at once, as it is past');
  assert.deepEqual(await sends.seqs(), [1, 2, 3, 4, 5, 6, 7, 8]);
});

test('what fails at an answer is told to whom wanted it done, and the sends go on', async () => {
  const { sends, answerAll } = inOneTurn(2);
  const failing = sends.atAnswer(1, () => {
    throw new Error('no leader');
  });
  assert.throws(() => sends.atAnswer(1, () => {}), /something waits for answer 1/);
  sends.openTo(2);
  answerAll();
  await assert.rejects(failing, /no leader/);
  assert.deepEqual(await sends.seqs(), [1, 2]);
});

test('nothing beyond the gate is sent, and the time at the shut gate is told', async () => {
  const { sends, answerAll } = inOneTurn(4);
  sends.openTo(2);
  answerAll();
  await sends.atAnswer(2, () => {});
  assert.equal(sends.inFlight, 0);
  await new Promise((resolve) => setTimeout(resolve, 5));
  sends.openTo(4);
  assert.equal(sends.inFlight, 2);
  assert.ok(sends.heldMs > 0);
  answerAll();
  assert.deepEqual(await sends.seqs(), [1, 2, 3, 4]);
});
