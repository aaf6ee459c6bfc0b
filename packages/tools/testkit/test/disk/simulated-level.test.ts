import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeltabaseError, makePrng } from '@deltabase/base';
import type { Disk, DiskOperation } from '@deltabase/engine';
import {
  type DiskUnderTest,
  LevelStorage,
  Simulation,
  testDiskConformance,
} from '../../src/index.js';

/** The real driver on simulated files, and the time it takes. */
class Bench {
  readonly storage = new LevelStorage();
  readonly simulation = new Simulation(1);
  readonly failures: DeltabaseError[] = [];
  #life = 0;

  /** Opens a life of the node; an error: it is refused. */
  open(): Disk | DeltabaseError {
    const life = ++this.#life;
    let opened: Disk | DeltabaseError | undefined;
    this.storage.open(
      {
        delay: (_kind, run) =>
          this.simulation.schedule(1, () => {
            if (life === this.#life) run();
          }),
        fatal: (error) => this.failures.push(error!),
      },
      (disk) => {
        opened = disk;
      },
    );
    this.simulation.runUntil(() => opened !== undefined);
    return opened!;
  }

  /** Ends the life and begins another one. */
  reopen(inFlight: 'kept' | 'lost' = 'lost'): Disk | DeltabaseError {
    this.end(inFlight);
    return this.open();
  }

  end(inFlight: 'kept' | 'lost' = 'lost'): void {
    this.#life++;
    this.storage.end(inFlight);
  }

  /** Writes batches of one row each; returns how many were acknowledged. */
  write(disk: Disk | DeltabaseError, from: number, to: number): number {
    let acknowledged = 0;
    for (let n = from; n < to; n++) {
      live(disk).write([put(n)], () => acknowledged++);
      this.simulation.runFor(5);
    }
    return acknowledged;
  }

  /** Which of the rows that `write` makes are there. */
  rows(disk: Disk | DeltabaseError): number[] {
    let found: number[] | undefined;
    live(disk).range({ start: key(0), end: key(65_535) }, (rows) => {
      found = rows.map((row) => (row.key[1]! << 8) | row.key[2]!);
    });
    this.simulation.runUntil(() => found !== undefined);
    return found!;
  }
}

function live(disk: Disk | DeltabaseError): Disk {
  assert.ok(!(disk instanceof DeltabaseError), 'the disk opens');
  return disk;
}

function key(n: number): Uint8Array {
  return Uint8Array.of(0x45, n >> 8, n & 255);
}

function put(n: number): DiskOperation {
  return { kind: 'put', key: key(n), value: new TextEncoder().encode(`the value of row ${n}`) };
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}

function isDamaged(disk: Disk | DeltabaseError): boolean {
  return disk instanceof DeltabaseError && disk.code === 'DATA_CORRUPT';
}

testDiskConformance('the level driver on simulated files', async () => {
  const storage = new LevelStorage();
  const open = (): Promise<DiskUnderTest> =>
    new Promise((resolve) => {
      const delay = (_kind: string, run: () => void): void => void setImmediate(run);
      storage.open({ delay, fatal: assert.fail }, (disk) => {
        const reopen = (): Promise<DiskUnderTest> => {
          storage.end('lost');
          return open();
        };
        resolve({ disk: live(disk), reopen, close: async () => {} });
      });
    });
  return await open();
});

test('what was acknowledged is there in every later life, however many batches there are', () => {
  const bench = new Bench();
  let disk = bench.open();
  for (let life = 0; life < 5; life++) {
    assert.equal(bench.write(disk, 400 * life, 400 * (life + 1)), 400);
    disk = bench.reopen();
  }
  assert.deepEqual(bench.rows(disk), numbers(2000));
});

test('a batch in flight is lost or kept with the process, and whole in either case', () => {
  for (const inFlight of ['lost', 'kept'] as const) {
    const bench = new Bench();
    const disk = bench.open();
    bench.write(disk, 0, 3);
    live(disk).write([put(3), put(4)], assert.fail);
    const again = bench.reopen(inFlight);
    assert.deepEqual(bench.rows(again), numbers(inFlight === 'kept' ? 5 : 3));
  }
});

test('the driver acknowledges nothing behind a failed append, and what was before it stays', () => {
  const bench = new Bench();
  const disk = bench.open();
  bench.write(disk, 0, 10);
  bench.storage.failNextWrite('append');
  assert.equal(bench.write(disk, 10, 15), 0);
  assert.match(bench.failures[0]!.message, /No space left/);
  assert.equal(bench.failures.length, 1);
  assert.deepEqual(bench.rows(bench.reopen('kept')), numbers(10));
});

test('LevelDB itself goes on behind a failed append, and loses what it acknowledges', () => {
  const bench = new Bench();
  bench.write(bench.open(), 0, 10);
  bench.end();
  const { store } = bench.storage.files.open((_kind, run) => bench.simulation.schedule(1, run));
  const outcomes: string[] = [];
  bench.storage.failNextWrite('append');
  for (const n of [90, 91, 92]) {
    const failed = (): void => void outcomes.push('failed');
    const done = (): void => void outcomes.push('acknowledged');
    store.writeSynced([{ type: 'put', key: key(n), value: new Uint8Array(9) }], done, failed);
    bench.simulation.runFor(5);
  }
  assert.deepEqual(outcomes, ['failed', 'acknowledged', 'acknowledged']);
  assert.ok(store.getSync(key(92)) !== undefined, 'it can be read');
  assert.deepEqual(bench.rows(bench.reopen()), numbers(10));
});

test('after a failed sync every write fails, and the batch is there afterwards or not', () => {
  for (const inFlight of ['lost', 'kept'] as const) {
    const bench = new Bench();
    const disk = bench.open();
    bench.write(disk, 0, 10);
    bench.storage.failNextWrite('sync');
    assert.equal(bench.write(disk, 10, 12), 0);
    assert.equal(bench.failures.length, 1);
    const again = bench.reopen(inFlight);
    assert.deepEqual(bench.rows(again), numbers(inFlight === 'kept' ? 11 : 10));
    assert.equal(bench.write(again, 11, 12), 1, 'a new life is a new chance');
  }
});

test('a run of batches that is missing in the middle is found when the disk opens', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const bench = new Bench();
    const chance = makePrng(seed);
    bench.write(bench.open(), 0, 1 + chance.below(700));
    bench.end();
    const isLost = bench.storage.files.loseRun(chance);
    assert.equal(isDamaged(bench.open()), isLost, `seed ${seed}`);
  }
});

test('newest batches that are missing are found when the disk opens, but for a power failure', () => {
  for (let seed = 1; seed <= 50; seed++) {
    const bench = new Bench();
    const chance = makePrng(seed);
    bench.write(bench.open(), 0, 1 + chance.below(40));
    bench.end();
    assert.ok(bench.storage.files.loseTail(chance), `seed ${seed}`);
    assert.ok(isDamaged(bench.open()), `seed ${seed}`);
    bench.end();
    bench.storage.files.forgetAcknowledged(50);
    assert.ok(!isDamaged(bench.open()), `seed ${seed}`);
  }
});

test('a row with a flipped bit is never given out, and fails the disk when it is read', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const bench = new Bench();
    const chance = makePrng(seed);
    const disk = live(bench.open());
    assert.ok(!bench.storage.files.flipBit(chance), 'nothing is in tables yet');
    bench.write(disk, 0, 500);
    assert.ok(bench.storage.files.flipBit(chance));
    let read = 0;
    disk.range({ start: key(0), end: key(600) }, () => read++);
    bench.simulation.runFor(2000);
    const again = bench.reopen();
    // The bit may be in the ring, of which only what is new is left.
    const isFound = bench.failures.length > 0 || isDamaged(again);
    assert.ok(isFound || bench.rows(again).length === 500, `seed ${seed}`);
    assert.equal(read, bench.failures.length > 0 ? 0 : 1, `seed ${seed}`);
  }
});

test('a disk that hangs ends nothing until it answers again', () => {
  const bench = new Bench();
  const disk = live(bench.open());
  let ended = 0;
  bench.storage.hold(['write', 'read']);
  disk.write([put(1)], () => ended++);
  disk.get(key(1), () => ended++);
  bench.simulation.runFor(10_000);
  assert.equal(ended, 0);
  bench.storage.release();
  bench.simulation.runFor(10);
  assert.equal(ended, 2);
  bench.storage.hold(['read']);
  disk.get(key(1), () => ended++);
  disk.write([put(2)], () => ended++);
  bench.simulation.runFor(10_000);
  assert.equal(ended, 3, 'the write alone');
});

test('an image of the files brings back what was when it was taken; a wiped disk is empty', () => {
  const bench = new Bench();
  let disk = bench.open();
  bench.write(disk, 0, 300);
  const image = bench.storage.files.image();
  bench.write(disk, 300, 700);
  bench.end();
  bench.storage.files.restore(image);
  disk = bench.open();
  assert.deepEqual(bench.rows(disk), numbers(300));
  bench.write(disk, 300, 310);
  bench.end();
  bench.storage.files.restore(image);
  assert.deepEqual(bench.rows(bench.open()), numbers(300), 'an image can be used again');
  bench.end();
  bench.storage.files.wipe();
  assert.deepEqual(bench.rows(bench.open()), []);
});

test('space is what it is said to be', () => {
  const bench = new Bench();
  const disk = live(bench.open());
  bench.storage.setFreeBytes(1000);
  bench.simulation.runFor(10);
  assert.equal(disk.space().freeBytes, 1000);
});
