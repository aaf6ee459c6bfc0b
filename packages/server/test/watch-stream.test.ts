import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failure } from '@deltabase/engine';
import type { BytesCall } from '@deltabase/grpc-connection';
import { encodeHint } from '../src/services/copy-hints.js';
import { WatchStream } from '../src/services/watch-stream.js';
import { SlowCall } from './support/slow-call.js';
import { codecOf } from './support/test-client.js';

const LIMITS = { watchQueueBytesMax: 1000, watchQueuesBytesMax: 2000 };
const PIECE = new Uint8Array(300);
const { decode } = codecOf('deltabase.v1.WatchResponse');

function setUp() {
  const total = { bytes: 0 };
  const open = () => {
    const call = new SlowCall();
    const stream = new WatchStream(call as unknown as BytesCall, LIMITS, { queued: total });
    let resumed = 0;
    stream.begin(() => ({ resume: () => void resumed++, carry() {}, cancel() {} }));
    /** Gives as much as it takes; returns how often that was. */
    const fill = (): number => {
      let count = 0;
      for (; stream.ready && count < 100; count++) {
        stream.state(1, PIECE, undefined);
        stream.flush();
      }
      return count;
    };
    return { call, stream, fill, resumed: () => resumed };
  };
  return { total, open };
}

test('one watch holds back no more than its limit, and goes on when it is read', () => {
  const { total, open } = setUp();
  const { call, fill, resumed } = open();
  assert.equal(fill(), 4);
  assert.ok(total.bytes >= 1000 && total.bytes < 1400);
  call.readAll();
  assert.equal(total.bytes, 0);
  assert.equal(resumed(), 1);
  assert.equal(fill(), 4);
});

test('a watch that asks whether all has left is told to go on when it has, not before', () => {
  const { open } = setUp();
  const { call, stream, resumed } = open();
  assert.ok(stream.idle);
  stream.state(1, PIECE, undefined);
  assert.ok(!stream.idle, 'gathered');
  stream.flush();
  stream.state(1, PIECE, undefined);
  stream.flush();
  assert.ok(!stream.idle, 'on its way');
  assert.ok(stream.ready);
  call.readOne();
  assert.equal(resumed(), 0);
  call.readOne();
  assert.equal(resumed(), 1);
  assert.ok(stream.idle);
  stream.flush();
  assert.equal(resumed(), 1);
});

test('all watches together hold back no more than theirs, and an event each', () => {
  const { total, open } = setUp();
  const idle = Array.from({ length: 10 }, open);
  const counts = idle.map(({ fill }) => fill());
  assert.deepEqual(counts, [4, 3, 1, 1, 1, 1, 1, 1, 1, 1]);
  assert.ok(total.bytes < 2000 + 11 * 350);
  // Who reads goes on, though the others do not.
  const reader = open();
  for (let round = 0; round < 5; round++) {
    assert.equal(reader.fill(), 1);
    reader.call.readAll();
    assert.equal(reader.resumed(), round + 1);
  }
});

test('what a watcher that is gone had not read counts no more, however late it leaves', () => {
  const { total, open } = setUp();
  const { call, fill } = open();
  fill();
  call.emit('cancelled');
  assert.equal(total.bytes, 0);
  call.readAll();
  assert.equal(total.bytes, 0);
});

test('who reads slowly is told of copies with the next events, and of the newest ones only', () => {
  const { open } = setUp();
  const { call, stream } = open();
  const copiesOf = (response: Buffer | undefined): string[] => decode(response!).copies;
  const told = (copies: readonly string[]): void => stream.hint(encodeHint(copies));
  told(['a:1']);
  assert.deepEqual(call.messages.map(copiesOf), [['a:1']]);
  told(['b:1']);
  told(['c:1', 'd:1']);
  assert.equal(call.messages.length, 1, 'the first has not left');
  stream.state(1, PIECE, undefined);
  stream.flush();
  const { events, copies } = decode(call.messages[1]!);
  assert.deepEqual([events.length, copies], [1, ['c:1', 'd:1']]);
  stream.flush();
  assert.equal(call.messages.length, 2);
});

test('who was being told of copies when there were others is told of those as well, though nothing happens', () => {
  const { open } = setUp();
  const { call, stream } = open();
  const told = (copies: readonly string[]): void => stream.hint(encodeHint(copies));
  told(['a:1']);
  told(['a:1', 'b:1']);
  assert.equal(call.messages.length, 1, 'the first has not left');
  call.readAll();
  assert.equal(call.messages.length, 2);
  assert.deepEqual(decode(call.messages[1]!).copies, ['a:1', 'b:1']);
  call.readAll();
  assert.equal(call.messages.length, 2, 'once');
});

test('a watch that has ended, by whoever, is not told of copies any more', () => {
  const { open } = setUp();
  for (const end of ['cancelled', 'ended'] as const) {
    const { call, stream } = open();
    let following = 0;
    stream.hintFrom(() => {
      following++;
      return () => void following--;
    });
    assert.equal(following, 1);
    call.on('error', () => {});
    if (end === 'cancelled') call.emit('cancelled');
    else stream.end(failure('UNAVAILABLE', 'it stops'));
    assert.equal(following, 0);
    stream.hintFrom(() => assert.fail('it is over'));
  }
});

test('once the call was ended by whoever stops the process nothing more is written', () => {
  const { total, open } = setUp();
  const { call, stream } = open();
  stream.state(1, PIECE, undefined);
  stream.flush();
  call.readAll();
  call.end();
  stream.state(2, PIECE, undefined);
  stream.flush();
  assert.equal(call.messages.length, 1);
  assert.equal(total.bytes, 0);
});

test('several watchers of a delta are sent the same bytes', () => {
  const { open } = setUp();
  const frames: Buffer[] = [];
  const [one, two] = [open(), open()];
  for (const { call } of [one, two]) {
    const write = call.write.bind(call);
    call.write = (frame, done) => {
      frames.push(frame);
      write(frame, done);
    };
  }
  const delta = { fromSeq: 1, seq: 3, patch: PIECE, hash: 'ab', encoded: undefined };
  for (const { stream } of [one, two]) {
    stream.composed(delta);
    stream.flush();
  }
  assert.equal(frames.length, 2);
  assert.equal(frames[0], frames[1]);
});
