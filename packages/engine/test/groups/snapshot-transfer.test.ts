import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS, makePrng } from '@deltabase/base';
import type { SnapshotMessage } from 'raft-ts';
import { type ReceivedSnapshot, SnapshotReceiver } from '../../src/groups/snapshot-receiver.js';
import { SnapshotSender } from '../../src/groups/snapshot-sender.js';
import { decodeBulkFrame } from '../../src/peers/frame.js';
import { groupKey, rowsRange, sessionKey } from '../../src/storage/keys.js';
import { encodeGroupRow } from '../../src/storage/rows.js';
import { bytes, hex, own } from '../support/bytes.js';
import { promptDisk, put } from '../support/disk.js';
import { CONF } from '../support/samples.js';

const HEADER = { cluster: 'sim', clusterId: 'id', groups: 1, founders: 1, incarnation: 1 };
const ROWS = 50;
const [SENDER, RECEIVER] = [1, 2];

function groupRow(flushedIndex: number) {
  const row = { generation: 3, log: 0, flushedIndex, flushedTerm: 4, confState: CONF, time: 77 };
  return put(groupKey(1), own(encodeGroupRow(row)));
}

function offer(term = 4, from = SENDER): SnapshotMessage {
  const snapshot = { index: 100, term: 4, confState: CONF, data: bytes('') };
  return { type: 'snapshot', from, to: RECEIVER, term, snapshot };
}

/** A sender and a receiver, and the frames between them, which travel when the test says so. */
class Bench {
  readonly source = promptDisk([
    groupRow(100),
    ...Array.from({ length: ROWS }, (_, at) => {
      const name = `s${String(at).padStart(3, '0')}`;
      return put(sessionKey(1, 3, name), bytes(`${name} ${'x'.repeat(20)}`));
    }),
    put(sessionKey(1, 2, 'old'), bytes('of another generation')),
    put(sessionKey(2, 3, 'other'), bytes('of another group')),
  ]);
  readonly target = promptDisk();
  readonly toSender: Uint8Array[] = [];
  readonly toReceiver: Uint8Array[] = [];
  readonly completed: ReceivedSnapshot[] = [];
  readonly discarded: number[] = [];
  readonly open = new Set<number>();
  nowMs = 0;
  generations = 7;
  /** Writes of the receiver wait here while it is set. */
  held: Array<() => void> | undefined;
  sender = this.#makeSender();
  readonly receiver: SnapshotReceiver;

  constructor(seed = 1) {
    const random = makePrng(seed);
    this.receiver = new SnapshotReceiver({
      group: 1,
      header: HEADER,
      nowMs: () => this.nowMs,
      send: (_to, frame) => void this.toSender.push(own(frame)),
      write: (operations, done) => {
        const write = (): void => this.target.write(operations, done);
        if (this.held === undefined) write();
        else this.held.push(write);
      },
      random: () => random.next(),
      begin: () => ++this.generations,
      complete: (received) => void this.completed.push(received),
      discard: (generation) => void this.discarded.push(generation),
    });
  }

  #makeSender(): SnapshotSender {
    const freeze = this.source.freeze.bind(this.source);
    let views = 0;
    this.source.freeze = () => {
      const view = freeze();
      const number = ++views;
      this.open.add(number);
      return { ...view, close: () => void this.open.delete(number) };
    };
    return new SnapshotSender({
      disk: this.source,
      limits: { ...DEFAULT_LIMITS, snapshotChunkBytesMax: 300, snapshotTransfersMax: 2 },
      header: HEADER,
      send: (to, frame) => {
        if (to === RECEIVER) this.toReceiver.push(own(frame));
      },
      inTurn: (step) => step(),
    });
  }

  pullNext(): boolean {
    const frame = this.toSender.shift();
    if (frame === undefined) return false;
    const pull = decodeBulkFrame(frame);
    assert.ok(pull.kind === 'pull');
    this.sender.pull(RECEIVER, pull, this.nowMs);
    return true;
  }

  chunkNext(frame = this.toReceiver.shift(), from = SENDER): boolean {
    if (frame === undefined) return false;
    const chunk = decodeBulkFrame(frame);
    assert.ok(chunk.kind === 'chunk');
    this.receiver.chunk(from, chunk);
    return true;
  }

  run(): void {
    while (this.pullNext() || this.chunkNext()) {
      // Both ways until nothing travels.
    }
  }

  /** What the target holds of a generation, without the keys' beginnings. */
  rowsOf(generation: number): string[] {
    const { start, end } = rowsRange(1, generation, generation + 1);
    return this.target.durable
      .slice(start, end)
      .map(({ key, value }) => hex(key.slice(9)) + hex(value));
  }

  sourceRows(): string[] {
    const { start, end } = rowsRange(1, 3, 4);
    return this.source.durable
      .slice(start, end)
      .map(({ key, value }) => hex(key.slice(9)) + hex(value));
  }
}

test('a receiver gets every row of the generation in use, in chunks, under one of its own', () => {
  const bench = new Bench();
  bench.receiver.offered(offer());
  let chunks = 0;
  while (bench.pullNext()) {
    chunks++;
    bench.chunkNext();
  }
  assert.ok(chunks > 5);
  const [received] = bench.completed;
  assert.equal(received!.generation, 8);
  assert.deepEqual(received!.end, { index: 100, term: 4, confState: CONF, time: 77 });
  assert.equal(bench.rowsOf(8).length, ROWS);
  assert.deepEqual(bench.rowsOf(8), bench.sourceRows());
});

test('what is sent is of one moment, whatever is written meanwhile', () => {
  const bench = new Bench();
  const before = bench.sourceRows();
  bench.receiver.offered(offer());
  bench.pullNext();
  bench.chunkNext();
  bench.source.write([groupRow(200), put(sessionKey(1, 3, 's049'), bytes('later'))], () => {});
  bench.run();
  assert.equal(bench.completed[0]!.end.index, 100);
  assert.deepEqual(bench.rowsOf(8), before);
});

test('chunks that are lost are asked for again, those that come twice count once', () => {
  const bench = new Bench();
  const random = makePrng(5);
  bench.receiver.offered(offer());
  for (let round = 0; round < 500 && bench.completed.length === 0; round++) {
    const fate = random.below(4);
    if (fate === 0) bench.toSender.shift();
    else if (fate === 1) bench.toReceiver.shift();
    else if (fate === 2 && bench.toReceiver[0]) bench.toReceiver.push(bench.toReceiver[0]);
    while (bench.pullNext());
    while (bench.chunkNext());
    bench.nowMs += 1000;
    bench.receiver.tick(bench.nowMs);
  }
  assert.equal(bench.completed.length, 1);
  assert.deepEqual(bench.rowsOf(bench.completed[0]!.generation), bench.sourceRows());
});

test('a chunk of another sender, attempt or place counts for nothing', () => {
  const bench = new Bench();
  bench.receiver.offered(offer());
  bench.pullNext();
  const first = bench.toReceiver.shift()!;
  bench.chunkNext(first, 3);
  assert.equal(bench.rowsOf(8).length, 0);
  bench.chunkNext(first);
  const count = bench.rowsOf(8).length;
  assert.ok(count > 0);
  bench.chunkNext(first);
  assert.equal(bench.rowsOf(8).length, count);
  assert.equal(bench.toSender.length, 1);
  // Another leader's attempt begins at the same place as the one before it did.
  bench.receiver.offered(offer(5));
  bench.chunkNext(first);
  assert.equal(bench.rowsOf(9).length, 0);
});

test('a receiver whose sender is gone asks a few times, then clears up and waits for another', () => {
  const bench = new Bench();
  bench.receiver.offered(offer());
  bench.pullNext();
  bench.chunkNext();
  bench.toSender.length = 0;
  for (let second = 1; second <= 6; second++) {
    bench.nowMs = second * 1000;
    bench.receiver.tick(bench.nowMs);
  }
  assert.equal(bench.toSender.length, 3);
  assert.deepEqual(bench.discarded, [8]);
  bench.toSender.length = 0;
  bench.receiver.offered(offer(5));
  bench.run();
  assert.equal(bench.completed[0]!.generation, 9);
  assert.deepEqual(bench.rowsOf(9), bench.sourceRows());
});

test('the same offer again does not begin anew, one of another term does', () => {
  const bench = new Bench();
  bench.receiver.offered(offer());
  bench.receiver.offered(offer());
  assert.equal(bench.toSender.length, 1);
  bench.receiver.offered(offer(5));
  assert.equal(bench.toSender.length, 2);
  assert.deepEqual(bench.discarded, [8]);
  bench.run();
  assert.deepEqual(
    bench.completed.map(({ generation, message }) => [generation, message.term]),
    [[9, 5]],
  );
});

test('an attempt that is given up while its rows are written is cleared up after that', () => {
  const bench = new Bench();
  bench.receiver.offered(offer());
  bench.pullNext();
  bench.held = [];
  bench.chunkNext();
  bench.receiver.offered(offer(5));
  assert.deepEqual(bench.discarded, []);
  for (const write of bench.held) write();
  assert.deepEqual(bench.discarded, [8]);
});

test('a sender serves so many at once, and lets go of those that ask no more', () => {
  const bench = new Bench();
  const pull = (from: number, transfer: number): void =>
    bench.sender.pull(
      from,
      { ...HEADER, kind: 'pull', group: 1, transfer, after: new Uint8Array(0) },
      bench.nowMs,
    );
  pull(2, 1);
  pull(3, 1);
  pull(4, 1);
  assert.equal(bench.open.size, 2, 'the third has to wait');
  pull(2, 9);
  assert.equal(bench.open.size, 2, 'a new attempt takes the place of the one before');
  bench.nowMs = 30_001;
  bench.sender.tick(bench.nowMs);
  assert.equal(bench.open.size, 0);
  pull(4, 1);
  assert.equal(bench.open.size, 1);
  bench.sender.close();
  assert.equal(bench.open.size, 0);
});
