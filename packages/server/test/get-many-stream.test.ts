import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { DEFAULT_LIMITS, DeltabaseError } from '@deltabase/base';
import { failure, type ReadRequest, type ReadResult } from '@deltabase/engine';
import { GetManyStream } from '../src/services/get-many-stream.js';
import { statusOf } from '../src/services/status.js';
import { SlowCall } from './support/slow-call.js';
import { codecOf, type Loose } from './support/test-client.js';

const LIMITS = {
  ...DEFAULT_LIMITS,
  frameMessagesMax: 8,
  frameBytesMax: 2000,
  streamInFlightMax: 4,
  streamQueueBytesMax: 1000,
  requestTimeoutMsMax: 3000,
};
const { encode } = codecOf('deltabase.v1.GetManyRequest');
const { decode } = codecOf('deltabase.v1.GetManyResponse');

class AskedCall extends SlowCall {
  #isPaused = false;

  ask(...gets: Loose[]): void {
    this.emit('data', encode({ gets }));
  }

  isPaused(): boolean {
    return this.#isPaused;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
  }

  /** By response: what each read was answered. */
  get answers(): Loose[][] {
    return this.messages.map((message) =>
      decode(message).values.map(({ number, value, error }: Loose) => [
        number,
        error === null ? Buffer.from(value.value).toString() : error.code,
      ]),
    );
  }
}

function setUp() {
  const call = new AskedCall();
  const open: { request: ReadRequest; answer: (result: ReadResult) => void }[] = [];
  new GetManyStream(call as Loose, {
    streams: { read: (request, answer) => void open.push({ request, answer }) },
    hints: { of: ({ key }) => (key === 'hot' ? ['r1:1', 'r2:2'] : []) },
    limits: LIMITS,
    nowMs: () => 5000,
    statusOfThrown(thrown) {
      if (!(thrown instanceof DeltabaseError)) throw thrown;
      return statusOf(thrown);
    },
  });
  const give = (at: number, text: string): void =>
    open[at]!.answer({
      ...{ kind: 'value', seq: 3, hash: '0123456789abcdef', stalenessMs: 0 },
      value: Buffer.from(text),
    });
  return { call, open, give };
}

const get = (key: string, more = {}): Loose => ({ space: 'list', key, ...more });

test('reads of a frame are asked for as they say, and answers of a turn leave together', async () => {
  const { call, open, give } = setUp();
  call.ask(
    { number: 1, get: get('a', { pointer: '/x' }) },
    { number: 2, get: get('b', { mode: 'READ_MODE_STALE', withinMs: 0 }), timeoutMs: 100 },
    { number: 3, get: get('c', { mode: 'READ_MODE_AT_LEAST_SEQ', atLeastSeq: 9 }), timeoutMs: 1e9 },
  );
  assert.deepEqual(
    open.map(({ request: { key, pointer, mode, expiresMs } }) => [key, pointer, mode, expiresMs]),
    [
      ['a', '/x', { kind: 'linearizable' }, 8000],
      ['b', '', { kind: 'stale', withinMs: 0 }, 5100],
      ['c', '', { kind: 'atLeast', seq: 9 }, 8000],
    ],
  );
  give(2, '3');
  give(0, '1');
  await turn();
  open[1]!.answer(failure('UNAVAILABLE', 'no leader'));
  await turn();
  assert.deepEqual(call.answers, [
    [
      [3, '3'],
      [1, '1'],
    ],
    [[2, 'UNAVAILABLE']],
  ]);
});

test('an answer names where else the document may be read', async () => {
  const { call, give } = setUp();
  call.ask({ number: 1, get: get('hot') }, { number: 2, get: get('cold') });
  give(0, '1');
  give(1, '2');
  await turn();
  const { values } = decode(call.messages[0]!);
  assert.deepEqual(
    values.map(({ value }: Loose) => value.copies),
    [['r1:1', 'r2:2'], []],
  );
});

test('a read that cannot be is answered with that, those beside it go on', async () => {
  const { call, open, give } = setUp();
  call.ask(
    { number: 1, get: get('a', { pointer: 'x' }) },
    { number: 2 },
    { number: 3, get: get('a', { atSeq: 2 }) },
    { number: 4, get: get('a', { mode: 9 }) },
    { number: 5, get: get('a') },
  );
  assert.equal(open.length, 1);
  give(0, '5');
  await turn();
  const invalid = [1, 2, 3, 4].map((number) => [number, 'INVALID_ARGUMENT']);
  assert.deepEqual(call.answers, [[...invalid, [5, '5']]]);
});

test('what is no frame, or too large a one, ends the stream', () => {
  const broken = setUp();
  broken.call.emit('data', Buffer.from([0x0a, 9]));
  assert.match(broken.call.status.details, /cut off/);
  const many = setUp();
  many.call.ask(...Array.from({ length: 9 }, (_, at) => ({ number: at + 1, get: get('a') })));
  assert.match(many.call.status.details, /more than 8/);
  assert.equal(many.open.length, 0);
  const large = setUp();
  large.call.ask({ number: 1, get: get('k'.repeat(2000)) });
  assert.match(large.call.status.details, /bytes, 2000 are allowed/);
});

test('with too many reads open it takes no further frame until some are answered', async () => {
  const { call, give } = setUp();
  call.ask(...[1, 2, 3].map((number) => ({ number, get: get('a') })));
  assert.equal(call.isPaused(), false);
  call.ask({ number: 4, get: get('a') });
  assert.equal(call.isPaused(), true);
  give(0, '1');
  await turn();
  assert.equal(call.isPaused(), false);
});

test('answers that are not read hold further frames back, and values beyond the limit are refused', async () => {
  const { call, give } = setUp();
  call.ask(...[1, 2, 3].map((number) => ({ number, get: get('a') })));
  give(0, 'x'.repeat(600));
  await turn();
  call.ask({ number: 4, get: get('a') });
  assert.equal(call.isPaused(), true);
  give(1, 'y'.repeat(500));
  give(2, 'z');
  await turn();
  const [, ...later] = call.answers;
  assert.deepEqual(later, [
    [
      [2, 'OVERLOADED'],
      [3, 'z'],
    ],
  ]);
  call.readAll();
  give(3, 'z');
  await turn();
  assert.deepEqual(call.answers.at(-1), [[4, 'z']]);
});

test('reads of a frame wait for room for values as large as those before them', async () => {
  const { call, open, give } = setUp();
  call.ask({ number: 1, get: get('a') });
  give(0, 'x'.repeat(400));
  await turn();
  call.readAll();
  call.ask(...[2, 3, 4].map((number) => ({ number, get: get('a') })));
  assert.deepEqual([open.length, call.isPaused()], [2, true]);
  give(1, 'y');
  await turn();
  call.readAll();
  assert.equal(open.length, 3);
  give(2, 'z');
  await turn();
  call.readAll();
  give(3, 'z');
  await turn();
  assert.equal(call.isPaused(), false);
  assert.deepEqual(
    call.answers.flat().map(([number]) => number),
    [1, 2, 3, 4],
  );
});

test('a value larger than the limit goes when nothing else is unread', async () => {
  const { call, give } = setUp();
  call.ask({ number: 1, get: get('a') });
  give(0, 'x'.repeat(5000));
  await turn();
  assert.equal(call.answers[0]![0][1].length, 5000);
});

test('once all is asked for and answered it ends well; who is gone is not answered', async () => {
  const { call, give } = setUp();
  call.ask({ number: 1, get: get('a') }, { number: 2, get: get('b') });
  call.emit('end');
  give(0, '1');
  await turn();
  assert.equal(call.isEnded, false);
  give(1, '2');
  await turn();
  assert.deepEqual([call.isEnded, call.status], [true, undefined]);
  const left = setUp();
  left.call.ask({ number: 1, get: get('a') });
  left.call.emit('cancelled');
  left.give(0, '1');
  await turn();
  assert.deepEqual(left.call.messages, []);
});
