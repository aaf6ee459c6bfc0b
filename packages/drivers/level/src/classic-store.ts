// The Store on classic-level (LevelDB 1.20), the Node.js form of the package `level`.

import { open, readdir, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DeltabaseError } from '@deltabase/base';
import type { ClassicLevel } from 'classic-level';
import { Level } from 'level';
import { machineTrouble } from './machine-trouble.js';
import type {
  Store,
  StoreIterator,
  StoreOperation,
  StoreRange,
  StoreSnapshot,
  StoreSpace,
} from './store.js';

type Database = ClassicLevel<Uint8Array, Uint8Array>;
type DatabaseSnapshot = ReturnType<Database['snapshot']>;

const BYTES = { keyEncoding: 'view', valueEncoding: 'view' } as const;
const BLOCK_CACHE_BYTES = 8 * 1024 * 1024;
/** LevelDB's own default of 4 MiB rewrites rows twice as often under load; batch-ring.ts counts on this size. */
const WRITE_BUFFER_BYTES = 32 * 1024 * 1024;

/**
 * Opens (and creates) the database in `directory`. Throws DATA_CORRUPT where LevelDB finds its files
 * damaged, UNAVAILABLE where another process holds them or the machine has no room.
 */
export async function openClassicStore(directory: string): Promise<Store> {
  const db = new Level<Uint8Array, Uint8Array>(directory, {
    ...BYTES,
    cacheSize: BLOCK_CACHE_BYTES,
    writeBufferSize: WRITE_BUFFER_BYTES,
  }) as unknown as Database;
  try {
    await db.open();
  } catch (thrown) {
    throw openError(directory, thrown);
  }
  // LevelDB syncs its own directory, not the entry of that directory in its parent (etcd#6368).
  await syncDirectory(dirname(directory));
  return makeStore(db, directory);
}

function makeStore(db: Database, directory: string): Store {
  return {
    writeSynced: (operations, done, failed) => void writeSynced(db, operations).then(done, failed),
    get: (key, snapshot, done, failed) =>
      void db.get(key, { ...BYTES, ...view(snapshot) }).then(done, failed),
    getSync: (key) => db.getSync(key),
    iterate: (range) => makeIterator(db, range),
    snapshot: () => new ClassicSnapshot(db.snapshot()),
    compact: (start, end, done, failed) =>
      void db.compactRange(start, end, { keyEncoding: 'view' }).then(done, failed),
    measure: (done, failed) => void measure(directory).then(done, failed),
    close: (done, failed) => void db.close().then(done, failed),
  };
}

/** Operation by operation: a list with options costs three times as much, a spread of the options for each. */
async function writeSynced(db: Database, operations: readonly StoreOperation[]): Promise<void> {
  const batch = db.batch();
  for (const operation of operations) {
    if (operation.type === 'put') batch.put(operation.key, operation.value);
    else batch.del(operation.key);
  }
  await batch.write({ sync: true });
}

class ClassicSnapshot implements StoreSnapshot {
  readonly view: DatabaseSnapshot;

  constructor(view: DatabaseSnapshot) {
    this.view = view;
  }

  close(): void {
    void this.view.close();
  }
}

function makeIterator(db: Database, range: StoreRange): StoreIterator {
  const { gte, lt, reverse, limit, snapshot } = range;
  const iterator = db.iterator({ gte, lt, reverse, limit, ...BYTES, ...view(snapshot) });
  return {
    next: (count, done, failed) => void iterator.nextv(count).then(done, failed),
    close: () => void iterator.close(),
  };
}

function view(snapshot: StoreSnapshot | undefined): { snapshot?: DatabaseSnapshot } {
  return snapshot === undefined ? {} : { snapshot: (snapshot as ClassicSnapshot).view };
}

async function measure(directory: string): Promise<StoreSpace> {
  const { bavail, bsize } = await statfs(directory);
  const names = await readdir(directory);
  const sizes = await Promise.all(names.map((name) => fileBytes(join(directory, name))));
  return { freeBytes: bavail * bsize, usedBytes: sizes.reduce((sum, bytes) => sum + bytes, 0) };
}

/** 0 for a file that LevelDB's compaction removed between listing and looking. */
async function fileBytes(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return 0;
    throw thrown;
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function openError(directory: string, thrown: unknown): DeltabaseError {
  const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  const reason = cause instanceof Error ? cause.message : String(cause);
  if (code === 'LEVEL_LOCKED') {
    return new DeltabaseError(
      'UNAVAILABLE',
      `the data directory ${directory} is in use by another process: stop it first`,
      { cause: thrown },
    );
  }
  const trouble = machineTrouble(`the data directory ${directory}`, reason, thrown);
  if (trouble !== undefined) return trouble;
  return new DeltabaseError(
    'DATA_CORRUPT',
    `the data directory ${directory} cannot be opened (${reason}): never repair a voter's files; ` +
      'replace this node by a fresh one',
    { cause: thrown },
  );
}
