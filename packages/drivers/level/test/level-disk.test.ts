import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import { test } from 'node:test';
import { type DeltabaseError, makePrng } from '@deltabase/base';
import { type DiskUnderTest, testDiskConformance } from '@deltabase/testkit';
import {
  checkFiles,
  type LevelDisk,
  openClassicStore,
  openLevelDisk,
  type Store,
  type StoreRow,
} from '../src/index.js';
import {
  copyOf,
  flipped,
  key,
  makeStore,
  openDisk,
  put,
  storeIn,
  withFolder,
  write,
} from './support/stores.js';

async function open(directory: string): Promise<DiskUnderTest & { disk: LevelDisk }> {
  const fatal = (error: DeltabaseError): void => assert.fail(error);
  const store = await openClassicStore(directory);
  const disk = await openLevelDisk(store, { fatal, measureIntervalMs: 0 });
  let closed = false;
  const close = async (): Promise<void> => {
    if (!closed) await disk.close();
    closed = true;
  };
  return {
    disk,
    async reopen() {
      await close();
      return open(directory);
    },
    close,
  };
}

/** A file to which nothing can be written. */
const NO_ROOM = '/dev/full';

const withDirectory = (run: (directory: string) => Promise<void>): Promise<void> =>
  withFolder((folder) => run(storeIn(folder)));

const directories: string[] = [];
testDiskConformance('LevelDB', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'deltabase-level-'));
  directories.push(parent);
  return open(join(parent, 'data'));
});
test.after(async () => {
  for (const directory of directories) await rm(directory, { recursive: true });
});

function closed(store: Store): Promise<void> {
  return new Promise((resolve, reject) => store.close(resolve, reject));
}

/** A store whose calls go through `change` first. */
function changed(store: Store, change: Partial<Store>): Store {
  const bound = Object.fromEntries(
    Object.entries(store).map(([name, value]) => [
      name,
      typeof value === 'function' ? value.bind(store) : value,
    ]),
  );
  return { ...(bound as unknown as Store), ...change };
}

/** A disk on a changed store, with the fatal errors it reported. */
async function openFaulty(
  directory: string,
  change: (store: Store) => Partial<Store>,
): Promise<{ disk: LevelDisk; errors: DeltabaseError[] }> {
  const store = await openClassicStore(directory);
  const errors: DeltabaseError[] = [];
  const disk = await openLevelDisk(changed(store, change(store)), {
    fatal: (error) => errors.push(error),
    measureIntervalMs: 0,
  });
  return { disk, errors };
}

async function until(is: () => boolean): Promise<void> {
  while (!is()) await new Promise((resolve) => setImmediate(resolve));
}

/** Long enough for anything that is going to call back to have done so. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setTimeout(resolve, 1));
}

test('after one failed write nothing is acknowledged any more (pitfall 2)', async () => {
  await withDirectory(async (directory) => {
    let failing = false;
    const { disk, errors } = await openFaulty(directory, (store) => ({
      writeSynced(operations, done, failed) {
        if (failing) setImmediate(() => failed(new Error('ENOSPC')));
        else store.writeSynced(operations, done, failed);
      },
    }));
    await write(disk, put(1));
    failing = true;
    let acknowledged = 0;
    disk.write([put(2)], () => acknowledged++);
    await until(() => errors.length > 0);
    assert.match(errors[0]!.message, /ENOSPC/);
    failing = false;
    disk.write([put(3)], () => acknowledged++);
    disk.get(key(1), () => acknowledged++);
    await settle();
    assert.equal(acknowledged, 0);
    assert.equal(errors.length, 1);
    await disk.close();
  });
});

test('after a failed read, or a witness that cannot be written, no write counts any more (pitfall 2)', async () => {
  for (const fault of ['read', 'witness'] as const) {
    await withDirectory(async (directory) => {
      const store = await openClassicStore(directory);
      const errors: DeltabaseError[] = [];
      let isBroken = false;
      const failing = (): never => {
        throw new Error('EIO');
      };
      const disk = await openLevelDisk(
        changed(store, {
          getSync: (row) => (isBroken && fault === 'read' ? failing() : store.getSync(row)),
        }),
        {
          fatal: (error) => errors.push(error),
          measureIntervalMs: 0,
          witness: {
            counter: 0,
            write: () => isBroken && fault === 'witness' && failing(),
            close() {},
          },
        },
      );
      await write(disk, put(1));
      isBroken = true;
      let acknowledged = 0;
      disk.write([put(2)], () => acknowledged++);
      if (fault === 'read') assert.throws(() => disk.getSync(key(1)), /EIO/);
      await settle();
      assert.equal(acknowledged, 0, fault);
      assert.match(errors.map(({ message }) => message).join(), /EIO/);
      assert.equal(errors.length, 1);
      await disk.close();
    });
  }
});

test('a value that does not match its checksum is never given out (pitfall 17)', async () => {
  await withDirectory(async (directory) => {
    for (const flip of [0, 3, 4, 10]) {
      let isFlipped = false;
      const flipped = (sealed: Uint8Array | undefined): Uint8Array | undefined => {
        if (sealed === undefined || !isFlipped) return sealed;
        const copy = Uint8Array.from(sealed);
        copy[flip]! ^= 1;
        return copy;
      };
      const { disk, errors } = await openFaulty(directory, (store) => ({
        get: (at, snapshot, done, failed) =>
          store.get(at, snapshot, (sealed) => done(flipped(sealed)), failed),
        getSync: (at) => flipped(store.getSync(at)),
      }));
      await write(disk, put(1));
      isFlipped = true;
      let given = 0;
      disk.get(key(1), () => given++);
      await until(() => errors.length > 0);
      assert.equal(given, 0);
      assert.deepEqual(
        errors.map(({ code }) => code),
        ['DATA_CORRUPT'],
      );
      assert.throws(() => disk.getSync(key(1)), { code: 'DATA_CORRUPT' });
      await disk.close();
    }
  });
});

test('a page with a damaged row in it is never given out (pitfall 17)', async () => {
  await withDirectory(async (directory) => {
    let isDamaged = false;
    const damaged = ([at, sealed]: StoreRow): StoreRow =>
      isDamaged && at[2] === 2 ? [at, Uint8Array.from(sealed, (byte) => byte ^ 1)] : [at, sealed];
    const { disk, errors } = await openFaulty(directory, (store) => ({
      iterate(range) {
        const rows = store.iterate(range);
        return {
          next: (count, done, failed) =>
            rows.next(count, (found) => done(found.map(damaged)), failed),
          close: () => rows.close(),
        };
      },
    }));
    await write(disk, put(1), put(2), put(3));
    isDamaged = true;
    let given = 0;
    disk.range({ start: key(1), end: key(9) }, () => given++);
    await until(() => errors.length > 0 || given > 0);
    assert.deepEqual([given, errors.map(({ code }) => code)], [0, ['DATA_CORRUPT']]);
    await disk.close();
  });
});

test('a value under another key does not pass for that key', async () => {
  await withDirectory(async (directory) => {
    const { disk, errors } = await openFaulty(directory, (store) => ({
      get: (_at, snapshot, done, failed) => store.get(key(1), snapshot, done, failed),
    }));
    await write(disk, put(1), put(2));
    disk.get(key(2), () => assert.fail('the value of another key was given out'));
    await until(() => errors.length > 0);
    assert.equal(errors[0]?.code, 'DATA_CORRUPT');
    await disk.close();
  });
});

test('a batch that is missing between others is found when the disk opens', async () => {
  await withDirectory(async (directory) => {
    let batches = 0;
    const { disk } = await openFaulty(directory, (store) => ({
      // LevelDB acknowledges the third batch and loses it.
      writeSynced(operations, done, failed) {
        if (++batches === 3) setImmediate(done);
        else store.writeSynced(operations, done, failed);
      },
    }));
    for (let n = 0; n < 6; n++) await write(disk, put(n));
    await disk.close();
    const store = await openClassicStore(directory);
    await assert.rejects(
      openLevelDisk(store, { fatal: () => {}, measureIntervalMs: 0 }),
      (error: DeltabaseError) => error.code === 'DATA_CORRUPT' && error.details['missing'] === 3,
    );
    await closed(store);
  });
});

test('the ring goes round without crying wolf, and still finds a hole afterwards', async () => {
  const slots = 5000;
  const rows = new Map<string, Uint8Array>();
  let lose = -1;
  let batches = 0;
  const unused = (): never => assert.fail('not called');
  const memory = (): Store => ({
    writeSynced(operations, done) {
      setImmediate(done);
      if (++batches === lose) return;
      for (const operation of operations) {
        const at = Buffer.from(operation.key).toString('hex');
        if (operation.type === 'put') rows.set(at, operation.value);
        else rows.delete(at);
      }
    },
    get: unused,
    getSync: unused,
    iterate: ({ gte, lt }) => {
      const all = [...rows]
        .map(([at, value]): [Uint8Array, Uint8Array] => [Buffer.from(at, 'hex'), value])
        .filter(([at]) => Buffer.compare(at, gte) >= 0 && Buffer.compare(at, lt) < 0)
        .sort(([a], [b]) => Buffer.compare(a, b));
      const next = (count: number, done: (rows: StoreRow[]) => void): void =>
        void setImmediate(() => done(all.splice(0, count)));
      return { next, close() {} };
    },
    snapshot: unused,
    compact: unused,
    measure: (done) => void setImmediate(() => done({ freeBytes: 1, usedBytes: 1 })),
    close: (done) => void setImmediate(done),
  });
  const options = { fatal: assert.fail, measureIntervalMs: 0, ringSlots: slots };
  const first = await openLevelDisk(memory(), options);
  for (let n = 0; n < slots + 10; n++) await write(first, put(n % 100));
  const second = await openLevelDisk(memory(), options);
  lose = batches + 2;
  for (let n = 0; n < 5; n++) await write(second, put(n));
  await assert.rejects(openLevelDisk(memory(), options), { code: 'DATA_CORRUPT' });
});

test('a flipped bit in any file is noticed, or does no harm', async () => {
  await withFolder(async (folder) => {
    const [count, seed] = [200, 1];
    const random = makePrng(seed);
    await makeStore(folder, count);
    const files = (await readdir(folder, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
    const noticed = new Map<string, number>();
    for (let trial = 0; trial < 90; trial++) {
      const path = files[trial % files.length]!;
      const whole = await readFile(path);
      if (whole.length === 0) continue;
      const copy = `${folder}-${trial}`;
      await copyOf(folder, copy);
      await writeFile(path.replace(folder, copy), flipped(whole, random.below(whole.length * 8)));
      const kind = extname(path) || basename(path).split('-')[0]!;
      if (await isNoticed(copy, count)) noticed.set(kind, (noticed.get(kind) ?? 0) + 1);
      await rm(copy, { recursive: true });
    }
    // What LevelDB tells people does not count.
    assert.deepEqual([...noticed.keys()].sort(), [
      '.ldb',
      '.log',
      'CURRENT',
      'MANIFEST',
      'acknowledged',
    ]);
  });
});

/** Opens a damaged copy as a node does: it must be refused, or hold everything. */
async function isNoticed(folder: string, count: number): Promise<boolean> {
  let disk: LevelDisk;
  try {
    await checkFiles(storeIn(folder));
    disk = await openDisk(folder);
  } catch (thrown) {
    assert.equal((thrown as DeltabaseError).code, 'DATA_CORRUPT');
    return true;
  }
  for (let n = 0; n < count; n++) {
    assert.equal(Buffer.from(disk.getSync(key(n)) ?? []).toString(), `value ${n}`);
  }
  await disk.close();
  return false;
}

test('a directory that another process holds is refused with what to do', async () => {
  await withDirectory(async (directory) => {
    const { close } = await open(directory);
    await assert.rejects(openClassicStore(directory), { code: 'UNAVAILABLE', message: /stop it/ });
    await close();
  });
});

test('a directory that LevelDB cannot open is refused and never repaired', async () => {
  await withDirectory(async (directory) => {
    const { disk, close } = await open(directory);
    await write(disk, put(1));
    await close();
    await writeFile(join(directory, 'CURRENT'), 'garbage');
    await assert.rejects(openClassicStore(directory), { code: 'DATA_CORRUPT', message: /replace/ });
  });
});

test('a directory without room for a new file is refused as it is, and opened when there is room', {
  skip: existsSync(NO_ROOM) ? false : `there is no ${NO_ROOM} here`,
}, async () => {
  await withFolder(async (folder) => {
    await makeStore(folder, 40);
    // The next manifest, whichever it will be.
    const links = Array.from({ length: 20 }, (_, at) => manifest(folder, at + 1));
    const blocked = links.filter((path) => !existsSync(path));
    for (const path of blocked) await symlink(NO_ROOM, path);
    await assert.rejects(openDisk(folder), {
      code: 'UNAVAILABLE',
      message: /No space left on device.*data is as it was/,
    });
    for (const path of blocked) await rm(path, { force: true });
    assert.equal(await isNoticed(folder, 40), false, 'all rows are there');
  });
});

function manifest(folder: string, number: number): string {
  return join(storeIn(folder), `MANIFEST-${String(number).padStart(6, '0')}`);
}
