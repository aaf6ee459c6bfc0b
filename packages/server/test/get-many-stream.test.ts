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

  giveUp(...cancels: number[]): void {
    this.emit('data', encode({ cancels }));
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
  const open: { request: ReadRequest; answer: (result: ReadResult) => void; isGivenUp: boolean }[] =
    [];
  new GetManyStream(call as Loose, {
    streams: {
      read(request, answer) {
        const read = { request, answer, isGivenUp: false };
        open.push(read);
        return {
          cancel() {
            read.isGivenUp = true;
          },
        };
      },
    },
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
  /** Places of the reads that were given up, from 0. */
  const givenUp = (): number[] => [...open.keys()].filter((at) => open[at]!.isGivenUp);
  return { call, open, give, givenUp };
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

test('with too many reads open others wait, and with as many of these as a frame may have no further frame is taken', async () => {
  for (const key of ['a', 'k'.repeat(280)]) {
    const { call, open, give } = setUp();
    for (let number = 1; number <= 4; number++) call.ask({ number, get: get('a') });
    const waiting = key === 'a' ? 8 : 7;
    for (let count = 1; count <= waiting; count++) {
      assert.equal(call.isPaused(), false);
      call.ask({ number: 4 + count, get: get(key) });
    }
    assert.deepEqual([open.length, call.isPaused()], [4, true]);
    give(0, '1');
    await turn();
    assert.deepEqual([open.length, call.isPaused()], [5, false]);
  }
});

test('a read that is given up makes room, and is not answered; what is not open means nothing', async () => {
  const { call, open, give, givenUp } = setUp();
  call.ask(...[1, 2, 3, 4, 5, 6].map((number) => ({ number, get: get(`k${number}`) })));
  give(0, '1');
  await turn();
  call.giveUp(1, 77, 2 ** 53 - 1);
  assert.deepEqual(givenUp(), []);
  call.giveUp(3, 6);
  assert.deepEqual(givenUp(), [2]);
  assert.deepEqual(
    open.map(({ request }) => request.key),
    ['k1', 'k2', 'k3', 'k4', 'k5'],
    'one that waited does not begin',
  );
  call.giveUp(3, 6);
  // There is room for one, as one more was given up.
  call.ask({ number: 7, get: get('k7') }, { number: 8, get: get('k8') });
  assert.deepEqual([open.length, open[5]!.request.key], [6, 'k7']);
  call.emit('data', encode({ gets: [{ number: 9, get: get('k9') }], cancels: [7, 9] }));
  assert.deepEqual([givenUp(), open[6]!.request.key], [[2, 5], 'k8']);
  for (const at of [1, 3, 4]) give(at, 'x');
  call.emit('end');
  await turn();
  assert.equal(call.isEnded, false);
  give(6, 'x');
  await turn();
  assert.deepEqual([call.isEnded, call.status], [true, undefined]);
  assert.deepEqual(
    call.answers.flat().map(([number]) => number),
    [1, 2, 4, 5, 8],
  );
});

test('a stream whose last read was given up ends well', async () => {
  const { call } = setUp();
  call.ask({ number: 1, get: get('a') });
  call.giveUp(1);
  call.emit('end');
  await turn();
  assert.deepEqual([call.isEnded, call.status, call.messages], [true, undefined, []]);
});

test('reads of a stream that was used wrongly, or whose reader is gone, are given up', () => {
  for (const end of ['data', 'cancelled']) {
    const { call, open, givenUp } = setUp();
    call.ask(...[1, 2, 3, 4, 5].map((number) => ({ number, get: get('a') })));
    call.emit(end, Buffer.from([0x0a, 9]));
    assert.deepEqual([open.length, givenUp()], [4, [0, 1, 2, 3]]);
  }
});

test('answers that are not read hold further reads back, and values beyond the limit are refused', async () => {
  const { call, open, give } = setUp();
  call.ask(...[1, 2, 3].map((number) => ({ number, get: get('a') })));
  give(0, 'x'.repeat(600));
  await turn();
  call.ask({ number: 4, get: get('a') });
  assert.equal(open.length, 3);
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
  assert.equal(open.length, 2);
  give(1, 'y');
  await turn();
  call.readAll();
  assert.equal(open.length, 3);
  give(2, 'z');
  await turn();
  call.readAll();
  give(3, 'z');
  await turn();
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
