// What every implementation of the Disk port must do: one suite, run on the driver for LevelDB, on the disk in
// memory and on the simulated one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Disk, DiskOperation, DiskRange, DiskReader, DiskRow } from '@deltabase/engine';

/** A disk to test, and how to come back to what is durable on it. */
export interface DiskUnderTest {
  readonly disk: Disk;
  /** Ends this life and opens the next one on the same storage. */
  reopen(): Promise<DiskUnderTest>;
  close(): Promise<void>;
}

/** Defines the tests of the port for the implementation called `name`. */
export function testDiskConformance(name: string, open: () => Promise<DiskUnderTest>): void {
  const scenario = (
    what: string,
    run: (disk: Disk, under: DiskUnderTest) => Promise<void>,
  ): void => {
    test(`${name}: ${what}`, async () => {
      const under = await open();
      try {
        await run(under.disk, under);
      } finally {
        await under.close();
      }
    });
  };

  scenario('a key that was never written is undefined', async (disk) => {
    assert.equal(await get(disk, key(1)), undefined);
    assert.equal(disk.getSync(key(1)), undefined);
  });

  scenario('a batch is there once it is done, by every way of reading', async (disk) => {
    await write(disk, [put(key(1), 'one'), put(key(2), '')]);
    assert.equal(text(await get(disk, key(1))), 'one');
    assert.equal(text(disk.getSync(key(2))), '');
    const { rows } = await range(disk, { start: key(0), end: key(9) });
    assert.deepEqual(rows.map(plain), [
      [1, 'one'],
      [2, ''],
    ]);
  });

  scenario('later operations of a batch win over earlier ones', async (disk) => {
    await write(disk, [put(key(1), 'a'), { kind: 'del', key: key(1) }, put(key(2), 'b')]);
    await write(disk, [{ kind: 'del', key: key(2) }, put(key(2), 'c'), put(key(2), 'd')]);
    assert.equal(await get(disk, key(1)), undefined);
    assert.equal(text(await get(disk, key(2))), 'd');
  });

  scenario('what was done survives the next life', async (disk, under) => {
    await write(disk, [put(key(1), 'one'), put(key(2), 'two')]);
    await write(disk, [{ kind: 'del', key: key(2) }]);
    const next = await under.reopen();
    try {
      assert.equal(text(await get(next.disk, key(1))), 'one');
      assert.equal(await get(next.disk, key(2)), undefined);
    } finally {
      await next.close();
    }
  });

  scenario('keys order by bytes, a prefix first', async (disk) => {
    const keys = [[0x80], [0x01, 0xff], [0x01], [0xff], [0x01, 0x00], [0x7f]];
    await write(
      disk,
      keys.map((bytes) => put(Uint8Array.from(bytes), 'x')),
    );
    const { rows } = await range(disk, { start: Uint8Array.of(1), end: Uint8Array.of(0xff, 0xff) });
    const order = rows.map((row) => [...row.key].join('.'));
    assert.deepEqual(order, ['1', '1.0', '1.255', '127', '128', '255']);
  });

  scenario('a range begins at its start, ends before its end, in both directions', async (disk) => {
    await write(
      disk,
      [1, 2, 3, 4, 5].map((n) => put(key(n), String(n))),
    );
    const bounds = { start: key(2), end: key(5) };
    const forwards = await range(disk, bounds);
    assert.deepEqual(
      forwards.rows.map((row) => text(row.value)),
      ['2', '3', '4'],
    );
    const backwards = await range(disk, { ...bounds, reverse: true });
    assert.deepEqual(
      backwards.rows.map((row) => text(row.value)),
      ['4', '3', '2'],
    );
    const empty = await range(disk, { start: key(6), end: key(9) });
    assert.deepEqual(empty, { rows: [], more: false });
  });

  scenario(
    'a range stops at either maximum, gives a row at least, and says if there is more',
    async (disk) => {
      await write(
        disk,
        [1, 2, 3].map((n) => put(key(n), 'x'.repeat(100))),
      );
      const all = { start: key(0), end: key(9) };
      const byRows = await range(disk, { ...all, rowsMax: 2 });
      assert.deepEqual([byRows.rows.length, byRows.more], [2, true]);
      const byBytes = await range(disk, { ...all, bytesMax: 1 });
      assert.deepEqual([byBytes.rows.length, byBytes.more], [1, true]);
      const exactly = await range(disk, { ...all, rowsMax: 3 });
      assert.deepEqual([exactly.rows.length, exactly.more], [3, false]);
    },
  );

  scenario('a frozen view does not see what is written after it', async (disk) => {
    await write(disk, [put(key(1), 'old')]);
    const view = disk.freeze();
    await write(disk, [put(key(1), 'new'), put(key(2), 'too')]);
    assert.equal(text(await get(view, key(1))), 'old');
    const { rows } = await range(view, { start: key(0), end: key(9) });
    assert.deepEqual(rows.map(plain), [[1, 'old']]);
    view.close();
    assert.equal(text(await get(disk, key(1))), 'new');
  });

  scenario('one write is in flight at a time', async (disk) => {
    const first = write(disk, [put(key(1), 'a')]);
    assert.throws(() => disk.write([put(key(2), 'b')], () => {}));
    await first;
    await write(disk, [put(key(2), 'b')]);
  });

  scenario('nothing calls back from inside the call that asked', async (disk) => {
    let inside = true;
    const outside = (): void => assert.ok(!inside);
    const done = [
      new Promise<void>((resolve) => disk.write([put(key(1), 'a')], () => resolve(outside()))),
      new Promise<void>((resolve) => disk.get(key(1), () => resolve(outside()))),
      new Promise<void>((resolve) =>
        disk.range({ start: key(0), end: key(9) }, () => resolve(outside())),
      ),
      new Promise<void>((resolve) => disk.compact(key(0), key(9), () => resolve(outside()))),
    ];
    inside = false;
    await Promise.all(done);
  });

  scenario('compaction changes nothing that can be read, and space is measured', async (disk) => {
    await write(disk, [put(key(1), 'a'), put(key(2), 'b')]);
    await write(disk, [{ kind: 'del', key: key(1) }]);
    await new Promise<void>((resolve) => disk.compact(key(0), key(9), resolve));
    assert.equal(await get(disk, key(1)), undefined);
    assert.equal(text(await get(disk, key(2))), 'b');
    assert.ok(disk.space().freeBytes > 0);
  });
}

function key(n: number): Uint8Array {
  return Uint8Array.of(0x40, n);
}

function put(at: Uint8Array, value: string): DiskOperation {
  return { kind: 'put', key: at, value: new TextEncoder().encode(value) };
}

function text(value: Uint8Array | undefined): string | undefined {
  return value === undefined ? undefined : new TextDecoder().decode(value);
}

function plain({ key: at, value }: DiskRow): [number | undefined, string | undefined] {
  return [at[1], text(value)];
}

function write(disk: Disk, batch: readonly DiskOperation[]): Promise<void> {
  return new Promise((resolve) => disk.write(batch, resolve));
}

function get(disk: DiskReader, at: Uint8Array): Promise<Uint8Array | undefined> {
  return new Promise((resolve) => disk.get(at, resolve));
}

function range(
  disk: DiskReader,
  wanted: DiskRange,
): Promise<{ rows: readonly DiskRow[]; more: boolean }> {
  return new Promise((resolve) => disk.range(wanted, (rows, more) => resolve({ rows, more })));
}
