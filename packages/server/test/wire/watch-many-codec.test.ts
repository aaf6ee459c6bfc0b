import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failure } from '@deltabase/engine';
import { encodeStateEvent } from '../../src/wire/delta-codec.js';
import { WatchManyWriter } from '../../src/wire/watch-many-codec.js';
import { codecOf, type Loose } from '../support/test-client.js';

const codec = codecOf('deltabase.v1.WatchManyResponse');

/** The message of a frame. */
function decode(frame: Buffer): Loose {
  assert.equal(frame[0], 0);
  assert.equal(frame.readUInt32BE(1), frame.length - 5);
  return codec.decode(frame.subarray(5));
}

function state(seq: number): Buffer {
  return encodeStateEvent(seq, Buffer.from(`["",${seq}]`), 'abcdabcdabcdabcd').bytes;
}

test('events of many watches are told by watch, in the order of each', () => {
  const writer = new WatchManyWriter();
  writer.event(1, state(5));
  writer.event(300, state(6));
  writer.event(1, state(7));
  const { watched } = decode(writer.finish());
  const seqs = watched.map(
    ({ id, events }: { id: number; events: { state: { seq: number } }[] }) => [
      id,
      ...events.map((event) => event.state.seq),
    ],
  );
  assert.deepEqual(seqs, [
    [1, 5],
    [300, 6],
    [1, 7],
  ]);
  assert.ok(writer.isEmpty);
});

test('ends, answers and origins are as the proto says', () => {
  const writer = new WatchManyWriter();
  writer.ended(2 ** 40, failure('OVERLOADED', 'full', { retryAfterMs: 100 }));
  writer.heads(9, [0, 127, 128, 2 ** 53 - 1]);
  writer.heads(11, [undefined, 7, undefined]);
  writer.headsFailed(10, failure('UNAVAILABLE', 'no leader'));
  writer.origin({ via: ['r2', 'r1'], live: true });
  const { ended, heads, origin } = decode(writer.finish());
  assert.equal(ended[0].id, 2 ** 40);
  assert.deepEqual([ended[0].error.code, ended[0].error.message], ['OVERLOADED', 'full']);
  assert.deepEqual(heads[0].seqs, [0, 127, 128, 2 ** 53 - 1]);
  assert.deepEqual([heads[0].number, heads[0].error], [9, null]);
  assert.deepEqual(
    [heads[1].seqs, heads[1].unknown],
    [
      [2 ** 53 - 1, 7, 2 ** 53 - 1],
      [0, 2],
    ],
  );
  assert.deepEqual([heads[2].number, heads[2].seqs, heads[2].error.code], [10, [], 'UNAVAILABLE']);
  assert.deepEqual(origin, { via: ['r2', 'r1'], live: true });
});

test('a node that is its own origin, and one that leads nowhere, say so', () => {
  const writer = new WatchManyWriter();
  writer.origin({ via: [], live: false });
  assert.deepEqual(decode(writer.finish()).origin, { via: [], live: false });
});

test('a frame that was given stays as it is, until it may be written over', () => {
  const writer = new WatchManyWriter();
  writer.event(1, state(1));
  const first = writer.finish();
  const copy = Buffer.from(first);
  assert.ok(writer.isEmpty);
  writer.event(1, state(2));
  assert.ok(!writer.isEmpty);
  const second = writer.finish();
  assert.deepEqual(first, copy);
  writer.reuse();
  assert.ok(writer.isEmpty);
  writer.event(1, state(3));
  assert.equal(writer.finish().buffer, second.buffer);
  assert.deepEqual(first, copy);
});

test('what has grown large is not kept for the next response', () => {
  const writer = new WatchManyWriter();
  writer.event(1, Buffer.alloc(100_000));
  const { buffer } = writer.finish();
  writer.reuse();
  writer.event(1, state(1));
  assert.notEqual(writer.finish().buffer, buffer);
});
