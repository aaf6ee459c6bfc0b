import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpenReads } from '../src/reading/open-reads.js';

/** A read that is answered when the test says so. */
function slowRead(reads: OpenReads) {
  let answer: (value: string) => void = () => {};
  let fail: (why: Error) => void = () => {};
  const done = reads.run(
    () =>
      new Promise<string>((resolve, reject) => {
        answer = resolve;
        fail = reject;
      }),
  );
  return { done, answer: () => answer('read'), fail: () => fail(new Error('lost')) };
}

test('one read too many is refused, and says what to do; others are not held up', async () => {
  const reads = new OpenReads({ readsOpenMax: 2 });
  const [slow, quick] = [slowRead(reads), slowRead(reads)];
  await assert.rejects(slowRead(reads).done, {
    code: 'OVERLOADED',
    message: '2 reads of this client are open already: await answers before reading more',
  });
  quick.answer();
  assert.equal(await quick.done, 'read');
  const next = slowRead(reads);
  next.answer();
  assert.equal(await next.done, 'read');
  slow.answer();
  assert.equal(await slow.done, 'read');
});

test('a read that fails makes room as well', async () => {
  const reads = new OpenReads({ readsOpenMax: 1 });
  const first = slowRead(reads);
  first.fail();
  await assert.rejects(first.done, /lost/);
  const second = slowRead(reads);
  second.answer();
  assert.equal(await second.done, 'read');
});

test('no read begins once the client is closed; those that are open go on', async () => {
  const reads = new OpenReads({ readsOpenMax: 2 });
  const open = slowRead(reads);
  reads.close();
  await assert.rejects(slowRead(reads).done, { code: 'CANCELLED' });
  open.answer();
  assert.equal(await open.done, 'read');
});
