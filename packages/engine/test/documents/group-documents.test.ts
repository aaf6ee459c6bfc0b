import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS, type Limits } from '@deltabase/base';
import { hashText } from '@deltabase/delta';
import { GroupDocuments } from '../../src/documents/group-documents.js';
import { Residency } from '../../src/documents/residency.js';
import { loadDocument } from '../../src/documents/stored-document.js';
import type { DiskOperation } from '../../src/ports.js';
import { runTask, type Task, wait } from '../../src/task.js';
import { SlowDisk } from '../support/disk.js';
import { makeHistory, placeOf, type Step, seqsInTail } from '../support/history.js';

const STEPS = makeHistory(30);

class Bench {
  readonly slow = new SlowDisk();
  readonly documents: GroupDocuments;
  readonly residency: Residency;
  nowMs = 0;
  readonly #writes: Array<{ operations: readonly DiskOperation[]; done: () => void }> = [];

  constructor(limits: Partial<Limits> = {}) {
    this.residency = new Residency({ ...DEFAULT_LIMITS, ...limits });
    this.documents = new GroupDocuments(
      {
        disk: this.slow.disk,
        limits: { ...DEFAULT_LIMITS, ...limits },
        residency: this.residency,
        nowMs: () => this.nowMs,
        queue: (task, finished) =>
          runTask(
            task,
            (step) => step(),
            finished,
            (thrown) => {
              throw thrown;
            },
          ),
        write: (operations, done) => void this.#writes.push({ operations, done }),
      },
      1,
      1,
    );
  }

  get writing(): number {
    return this.#writes.length;
  }

  apply(key: string, ...steps: Step[]): void {
    const local = this.documents.open('log', key);
    for (const { record } of steps) {
      const { entry, offset } = placeOf(record);
      this.documents.apply(local, record, entry, offset);
    }
  }

  /** Begins a flush; the result makes it durable. */
  flush(): () => void {
    const { operations, durable } = this.documents.flush();
    return () => {
      if (operations.length > 0) this.slow.disk.write(operations, durable);
      else durable();
      this.slow.run();
    };
  }

  /** Carries out what was asked to be written beside flushes. */
  write(): void {
    for (let next = this.#writes.shift(); next !== undefined; next = this.#writes.shift()) {
      this.slow.disk.write(next.operations, next.done);
      this.slow.run();
    }
  }

  load(key: string): string {
    const outcome: string[] = [];
    const local = this.documents.open('log', key);
    this.documents.load(local, (loaded) => outcome.push(String(loaded)));
    this.slow.run();
    return outcome.join();
  }

  stateOf(key: string): string {
    return hashText(this.documents.open('log', key).document!.committed.root);
  }
}

test('what is applied is flushed once, and then loaded from disk as it was (StateIsFold)', () => {
  const bench = new Bench({ chunkBytesMax: 200 });
  bench.apply('a', ...STEPS.slice(0, 10));
  assert.ok(bench.documents.unflushedBytes > 0);
  bench.flush()();
  assert.equal(bench.documents.unflushedBytes, 0);
  bench.apply('a', ...STEPS.slice(10, 15));
  bench.flush()();
  assert.deepEqual(bench.documents.flush().operations, []);
  assert.equal(bench.documents.size, 0, 'a document that only the disk knows costs nothing');
  assert.equal(bench.load('a'), 'true');
  assert.equal(bench.stateOf('a'), STEPS[14]!.record.hash);
  const { prefix } = bench.documents.open('log', 'a');
  const chunks = bench.slow.disk.durable
    .rows()
    .filter(({ key }) => key.length === prefix.length + 9);
  assert.ok(chunks.length >= 4, 'history is cut into chunks');
});

test('what is applied while a flush is under way stays, and is flushed by the next one', () => {
  const bench = new Bench();
  bench.apply('a', ...STEPS.slice(0, 5));
  const complete = bench.flush();
  bench.apply('a', ...STEPS.slice(5, 8));
  complete();
  const local = bench.documents.open('log', 'a');
  assert.deepEqual(seqsInTail(local), [6, 7, 8]);
  bench.flush()();
  assert.equal(bench.load('a'), 'true');
  assert.equal(bench.stateOf('a'), STEPS[7]!.record.hash);
});

test('deltas that come while a state is loaded are folded onto it, flushed or not', () => {
  for (const flushAt of ['before', 'between', 'never']) {
    const bench = new Bench();
    bench.apply('a', ...STEPS.slice(0, 5));
    bench.flush()();
    const outcome: boolean[] = [];
    bench.documents.load(bench.documents.open('log', 'a'), (loaded) => outcome.push(loaded));
    if (flushAt === 'between') bench.slow.step();
    bench.apply('a', ...STEPS.slice(5, 9));
    if (flushAt !== 'never') bench.flush()();
    bench.slow.run();
    assert.deepEqual(outcome, [true], flushAt);
    assert.equal(bench.stateOf('a'), STEPS[8]!.record.hash, flushAt);
  }
});

test('a state is loaded once, however many ask for it', () => {
  const bench = new Bench();
  bench.apply('a', STEPS[0]!);
  bench.flush()();
  const local = bench.documents.open('log', 'a');
  let told = 0;
  for (let count = 0; count < 5; count++) bench.documents.load(local, () => told++);
  bench.slow.run();
  bench.documents.load(local, () => told++);
  assert.equal(told, 6);
  assert.equal(bench.documents.residentCount, 1);
});

test('a document leaves memory when nothing has used it for a while, and not before', () => {
  const bench = new Bench();
  bench.apply('a', ...STEPS.slice(0, 3));
  bench.flush()();
  bench.nowMs = 100;
  bench.load('a');
  const local = bench.documents.open('log', 'a');
  const evict = (beforeMs: number): number => {
    bench.documents.evict(local, beforeMs);
    return bench.documents.residentCount;
  };
  assert.equal(evict(100), 1);
  local.watches++;
  assert.equal(evict(101), 1);
  local.watches--;
  bench.apply('a', STEPS[3]!);
  assert.equal(evict(101), 1, 'a tail is not on disk');
  bench.flush()();
  assert.equal(evict(101), 0);
  assert.equal(bench.documents.size, 0);
  assert.equal(bench.load('a'), 'true');
  assert.equal(bench.stateOf('a'), STEPS[3]!.record.hash);
});

test('a document that does not exist leaves memory at once', () => {
  const bench = new Bench();
  bench.nowMs = 100;
  bench.load('nothing');
  bench.documents.evict(bench.documents.open('log', 'nothing'), 0);
  assert.equal(bench.documents.size, 0);
});

test('an advised snapshot is written behind the deltas that it holds, loaded or not', () => {
  for (const isLoaded of [true, false]) {
    const bench = new Bench();
    if (isLoaded) bench.load('a');
    const advised = { ...STEPS[4]!, record: { ...STEPS[4]!.record, snapshotAdvised: true } };
    bench.apply('a', ...STEPS.slice(0, 4), advised);
    const complete = bench.flush();
    assert.equal(bench.writing, 0, 'not before the history up to it is on disk');
    complete();
    assert.equal(bench.writing, 1);
    bench.write();
    const { prefix } = bench.documents.open('log', 'a');
    const task = loadDocument(bench.slow.disk, prefix);
    let loaded = 0;
    runTask(
      task,
      (step) => step(),
      ({ bytesSinceSnapshot }) => {
        loaded = bytesSinceSnapshot;
      },
      (thrown) => {
        throw thrown;
      },
    );
    bench.slow.run();
    assert.equal(loaded, 0, 'nothing is folded: the snapshot is at the end');
  }
});

test('a snapshot for which too many wait is written with the document’s next delta', () => {
  const bench = new Bench({ snapshotsWaitingMax: 1 });
  const advised = { ...STEPS[0]!, record: { ...STEPS[0]!.record, snapshotAdvised: true } };
  for (const key of ['a', 'b']) {
    bench.load(key);
    bench.apply(key, advised);
  }
  bench.flush()();
  assert.equal(bench.writing, 1);
  bench.write();
  const { snapshotDue } = bench.documents.open('log', 'b');
  assert.ok(snapshotDue);
  bench.apply('b', STEPS[1]!);
  bench.flush()();
  assert.equal(bench.writing, 1);
  assert.ok(!bench.documents.open('log', 'b').snapshotDue);
});

test('of documents that are loaded for their snapshots no more wait than may', () => {
  const bench = new Bench({ snapshotsWaitingMax: 1 });
  const advised = { ...STEPS[0]!, record: { ...STEPS[0]!.record, snapshotAdvised: true } };
  for (const key of ['a', 'b', 'c']) bench.apply(key, advised);
  bench.flush()();
  assert.equal(bench.documents.snapshotsWaiting, 1);
  bench.write();
  const due = ['a', 'b', 'c'].filter((key) => bench.documents.open('log', key).snapshotDue);
  assert.equal(due.length, 2, 'the others wait for their next deltas');
});

test('what documents in memory take is counted as they come, grow, leave and are replaced', () => {
  const bench = new Bench();
  const { residency, documents } = bench;
  bench.apply('a', ...STEPS.slice(0, 3));
  assert.equal(residency.bytes, 0, 'a tail is no state');
  bench.load('a');
  const loaded = residency.bytes;
  assert.ok(loaded > 0);
  bench.load('b');
  assert.ok(residency.bytes > loaded);
  documents.evict(documents.open('log', 'b'), 0);
  assert.equal(residency.bytes, loaded);
  bench.apply('a', ...STEPS.slice(3, 20));
  const grown = residency.bytes;
  assert.notEqual(grown, loaded);
  bench.flush()();
  documents.evict(documents.open('log', 'a'), 1);
  assert.equal(residency.bytes, 0);
  bench.load('a');
  assert.equal(residency.bytes, grown);
  documents.close(() => {});
  assert.equal(residency.bytes, 0);
});

test('documents that are replaced give no state, flush nothing, and say when nobody reads them', () => {
  const bench = new Bench();
  bench.apply('a', STEPS[0]!);
  const complete = bench.flush();
  const outcome: string[] = [];
  bench.documents.load(bench.documents.open('log', 'b'), (loaded) => outcome.push(`b ${loaded}`));
  function* reading(): Task<void> {
    yield* wait<void>((done) => bench.slow.disk.get(Uint8Array.of(1), () => done()));
  }
  bench.documents.read(reading(), () => outcome.push('read'));
  bench.documents.close(() => outcome.push('unread'));
  assert.deepEqual(outcome, ['b false']);
  complete();
  assert.deepEqual(outcome, ['b false', 'read', 'unread'], 'the load was reading, too');
  assert.equal(bench.writing, 0);
  bench.documents.load(bench.documents.open('log', 'c'), (loaded) => outcome.push(`c ${loaded}`));
  assert.equal(outcome.at(-1), 'c false');
});
