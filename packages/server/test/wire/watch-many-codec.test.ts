import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failure } from '@deltabase/engine';
import { encodeHint } from '../../src/services/copy-hints.js';
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

/** Each run of events: the watches that get it, and the seqs. */
function runsIn(frame: Buffer): (readonly [number[], number[]])[] {
  return decode(frame).watched.map(
    ({ ids, events }: { ids: number[]; events: { state: { seq: number } }[] }) => [
      ids,
      events.map((event) => event.state.seq),
    ],
  );
}

test('events of many watches are told in the order of each', () => {
  const writer = new WatchManyWriter();
  writer.event([1], state(5));
  writer.event([300], state(6));
  writer.event([1], state(7));
  assert.deepEqual(runsIn(writer.finish()), [
    [[1], [5]],
    [[300], [6]],
    [[1], [7]],
  ]);
  assert.ok(writer.isEmpty);
});

test('an event that many watches get is told once', () => {
  const writer = new WatchManyWriter();
  const [six, seven] = [state(6), state(7)];
  const bytes = [
    writer.event([1, 2], six),
    writer.event([300], six),
    writer.event([1, 2, 300], seven),
  ];
  const frame = writer.finish();
  assert.deepEqual(runsIn(frame), [
    [[1, 2, 300], [6]],
    [[1, 2, 300], [7]],
  ]);
  const body = frame.length - 5;
  assert.equal(bytes[0]! + bytes[1]! + bytes[2]!, body, 'all of the response but its header');
  assert.equal(bytes[1], 2);
  writer.event([2], six);
  assert.deepEqual(runsIn(writer.finish()), [[[2], [6]]], 'the next response begins anew');
});

test('what events take is never more than what they add to a response', () => {
  const writer = new WatchManyWriter();
  for (const size of [10, 120, 122, 123, 124, 125, 126, 127, 128, 200, 20_000]) {
    for (const ids of [[1], [127], [128], [1, 2], [127, 128, 70_000]]) {
      const event = Buffer.alloc(size);
      const bytes = writer.event(ids, event) + writer.event([5], event);
      const body = writer.finish().length - 5;
      assert.ok(bytes <= body && bytes >= body - 3, `${size} ${ids}: ${bytes} of ${body}`);
    }
  }
});

test('an event of one watch has the bytes that it had before several could share one', () => {
  const writer = new WatchManyWriter();
  const event = state(6);
  writer.event([7], event);
  const frame = writer.finish();
  const watched = [0x0a, event.length + 2, ...event, 0x10, 7];
  assert.deepEqual([...frame.subarray(5)], watched);
});

test('an event that a watch gets after others does not overtake them', () => {
  const writer = new WatchManyWriter();
  const [six, seven] = [state(6), state(7)];
  writer.event([1], six);
  writer.event([2], seven);
  writer.event([2], six);
  writer.event([3], six);
  assert.deepEqual(runsIn(writer.finish()), [
    [[1], [6]],
    [[2], [7]],
    [[2, 3], [6]],
  ]);
});

test('ids that change after they were given are told as they were', () => {
  const writer = new WatchManyWriter();
  const [ids, six] = [[1, 2], state(6)];
  writer.event(ids, six);
  ids.push(3);
  writer.event([4], six);
  assert.deepEqual(runsIn(writer.finish()), [[[1, 2, 4], [6]]]);
  assert.deepEqual(ids, [1, 2, 3]);
});

test('ends, answers, origins and copies are as the proto says', () => {
  const writer = new WatchManyWriter();
  writer.ended(2 ** 40, failure('OVERLOADED', 'full', { retryAfterMs: 100 }));
  writer.heads(9, [0, 127, 128, 2 ** 53 - 1]);
  writer.heads(11, [undefined, 7, undefined]);
  writer.headsFailed(10, failure('UNAVAILABLE', 'no leader'));
  writer.origin({ via: ['r2', 'r1'], live: true });
  writer.copies([1, 300], encodeHint(['a:1', 'b:2']));
  const { ended, heads, origin, copies } = decode(writer.finish());
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
  assert.deepEqual(copies, [{ ids: [1, 300], copies: ['a:1', 'b:2'] }]);
});

test('a node that is its own origin, and one that leads nowhere, say so', () => {
  const writer = new WatchManyWriter();
  writer.origin({ via: [], live: false });
  assert.deepEqual(decode(writer.finish()).origin, { via: [], live: false });
});

test('a frame that was given stays as it is, until it may be written over', () => {
  const writer = new WatchManyWriter();
  writer.event([1], state(1));
  const first = writer.finish();
  const copy = Buffer.from(first);
  assert.ok(writer.isEmpty);
  writer.event([1], state(2));
  assert.ok(!writer.isEmpty);
  const second = writer.finish();
  assert.deepEqual(first, copy);
  writer.reuse();
  assert.ok(writer.isEmpty);
  writer.event([1], state(3));
  assert.equal(writer.finish().buffer, second.buffer);
  assert.deepEqual(first, copy);
});

test('what has grown large is not kept for the next response', () => {
  const writer = new WatchManyWriter();
  writer.event([1], Buffer.alloc(100_000));
  const { buffer } = writer.finish();
  writer.reuse();
  writer.event([1], state(1));
  assert.notEqual(writer.finish().buffer, buffer);
});
