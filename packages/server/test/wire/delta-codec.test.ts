import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeUtf8 } from '@deltabase/base';
import type { DeltaRecord } from '@deltabase/machine';
import {
  encodeComposedEvent,
  encodeDeltaEvent,
  encodeListedDelta,
  encodeProgressEvent,
  encodeStateEvent,
} from '../../src/wire/delta-codec.js';
import { frameOf, WatchEvent } from '../../src/wire/watch-event.js';
import { codecOf, type Loose } from '../support/test-client.js';

const RECORD: DeltaRecord = {
  space: 'counter',
  key: 'visits',
  seq: 7,
  session: 'c1',
  openedAt: 1_700_000_000_000,
  number: 12,
  settled: 10,
  principal: 'anonymous',
  channel: 'add',
  payload: encodeUtf8('{"by":1}'),
  time: 1_700_000_000_123,
  seed: 4_294_967_295,
  version: 3,
  patch: encodeUtf8('[{"op":"replace","path":"/n","value":7}]'),
  reply: encodeUtf8('7'),
  effects: [],
  fuel: 250,
  hash: '0123456789abcdef',
  snapshotAdvised: true,
};

function listed(changes: Partial<DeltaRecord>): Loose {
  const bytes = encodeListedDelta({ ...RECORD, ...changes });
  return codecOf('deltabase.v1.ListDeltasResponse').decode(bytes).deltas[0];
}

test('a delta tells in the proto what it did and why', () => {
  const { patch, cause, ...rest } = listed({});
  const { payload, ...why } = cause;
  assert.deepEqual(rest, { seq: 7, hash: '0123456789abcdef', timeMs: 1_700_000_000_123 });
  assert.equal(String(patch), '[{"op":"replace","path":"/n","value":7}]');
  assert.equal(String(payload), '{"by":1}');
  assert.deepEqual(why, {
    channel: 'add',
    principal: 'anonymous',
    messageId: 'c1/12',
    version: 3,
    fuel: 250,
    seed: 4_294_967_295,
  });
});

test('a delta without a session has no message id, and zeros are zeros', () => {
  const { cause, seq } = listed({ session: '', number: 0, seed: 0, fuel: 0, seq: 2 ** 53 - 1 });
  assert.deepEqual([seq, cause.messageId, cause.seed, cause.fuel], [2 ** 53 - 1, '', 0, 0]);
});

test('responses joined byte by byte are one response with all of their deltas', () => {
  const bytes = [1, 2, 3].map((seq) => encodeListedDelta({ ...RECORD, seq }));
  const { deltas } = codecOf('deltabase.v1.ListDeltasResponse').decode(Buffer.concat(bytes));
  assert.deepEqual(
    deltas.map(({ seq }: Loose) => seq),
    [1, 2, 3],
  );
});

test('the last piece of a state carries the hash, the others do not', () => {
  const piece = encodeUtf8('["",{}]');
  const read = (hash: string | undefined): Loose =>
    codecOf('deltabase.v1.WatchResponse').decode(encodeStateEvent(9, piece, hash).bytes).events[0]
      .state;
  assert.deepEqual({ ...read(undefined), piece: 0 }, { seq: 9, piece: 0, last: false, hash: '' });
  assert.deepEqual({ ...read('ab'), piece: 0 }, { seq: 9, piece: 0, last: true, hash: 'ab' });
  assert.equal(String(read('ab').piece), '["",{}]');
});

test('several deltas in one are told in the proto, and encoded for the first watcher only', () => {
  const patch = encodeUtf8('[{"op":"remove","path":"/a"}]');
  const composed = { fromSeq: 7, seq: 90, patch, hash: 'ab', encoded: undefined };
  const encoded = encodeComposedEvent(composed);
  const [event] = codecOf('deltabase.v1.WatchResponse').decode(encoded.bytes).events;
  const { patch: told, ...rest } = event.composed;
  assert.deepEqual(rest, { fromSeq: 7, seq: 90, hash: 'ab' });
  assert.equal(String(told), '[{"op":"remove","path":"/a"}]');
  assert.equal(encodeComposedEvent(composed), encoded);
});

test('how far nothing has changed is told in the proto, and encoded for the first watcher only', () => {
  const mark = { seq: 2 ** 40, encoded: undefined };
  const encoded = encodeProgressEvent(mark);
  const { events } = codecOf('deltabase.v1.WatchResponse').decode(encoded.bytes);
  assert.deepEqual(events[0].progress, { seq: 2 ** 40 });
  assert.equal(encodeProgressEvent(mark), encoded);
});

test('an event from the state before any delta is one from 0', () => {
  const composed = { fromSeq: 0, seq: 2, patch: encodeUtf8('[]'), hash: 'ab', encoded: undefined };
  const [event] = codecOf('deltabase.v1.WatchResponse').decode(
    encodeComposedEvent(composed).bytes,
  ).events;
  assert.deepEqual([event.composed.fromSeq, event.composed.seq], [0, 2]);
});

test('an event alone is a frame that all its watchers share, several are one frame', () => {
  const piece = encodeUtf8('["",{}]');
  const one = encodeStateEvent(1, piece, undefined);
  assert.equal(one.frame, one.frame);
  assert.deepEqual([...one.frame.subarray(0, 5)], [0, 0, 0, 0, one.bytes.length]);
  assert.deepEqual(one.frame.subarray(5), one.bytes);
  // As a replica got it, it has no room in front.
  const passed = WatchEvent.fromElement(Buffer.from(one.bytes));
  assert.deepEqual(passed.frame, one.frame);
  const two = encodeStateEvent(2, piece, 'ab');
  const frame = frameOf([one, two], one.bytes.length + two.bytes.length);
  assert.equal(frame.readUInt32BE(1), frame.length - 5);
  const { events } = codecOf('deltabase.v1.WatchResponse').decode(frame.subarray(5));
  assert.deepEqual(
    events.map(({ state }: Loose) => state.seq),
    [1, 2],
  );
});

test('a delta that a replica got is passed on in the bytes that came', () => {
  const bytes = Buffer.from(encodeStateEvent(1, encodeUtf8('0'), undefined).bytes);
  const delta = { seq: 1, bytes: new Uint8Array(), record: RECORD, encoded: bytes };
  assert.equal(encodeDeltaEvent(delta).bytes, bytes);
  assert.equal(encodeDeltaEvent(delta), encodeDeltaEvent(delta));
});
