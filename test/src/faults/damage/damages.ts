// Ways in which the files of a stopped node get lost or change. Each says where it struck; `undefined`: there was
// nothing that it could have struck.

import { appendFile, open, readdir, rm, stat, truncate } from 'node:fs/promises';
import { extname, join, relative } from 'node:path';
import type { Prng } from '@deltabase/base';

/** What a file is to its node. */
export type FileKind = 'table' | 'log' | 'manifest' | 'current' | 'acknowledged' | 'notes';

export const FILE_KINDS: readonly FileKind[] = [
  'table',
  'log',
  'manifest',
  'current',
  'acknowledged',
  'notes',
];

interface StoredFile {
  readonly path: string;
  readonly kind: FileKind;
  readonly bytes: number;
}

/** Does harm below a data directory. */
export type Damage = (dataDir: string, random: Prng) => Promise<string | undefined>;

/** Turns over one bit of a file of a kind, any bit of any of them. */
export function flipBit(kind: FileKind): Damage {
  return async (dataDir, random) => {
    const files = await filesOf(dataDir, kind);
    const file = pickByBytes(files, random);
    if (file === undefined) return undefined;
    const [at, bit] = [random.below(file.bytes), random.below(8)];
    await changeByte(file.path, at, (byte) => byte ^ (1 << bit));
    return `bit ${bit} of byte ${at} of ${file.bytes} of ${relative(dataDir, file.path)}`;
  };
}

/** Fills a page of a file of a kind with zeros, as a disk does that lost it. */
export function zeroPage(kind: FileKind): Damage {
  return async (dataDir, random) => {
    const file = pickByBytes(await filesOf(dataDir, kind), random);
    if (file === undefined) return undefined;
    const start = random.below(Math.ceil(file.bytes / PAGE_BYTES)) * PAGE_BYTES;
    const end = Math.min(start + PAGE_BYTES, file.bytes);
    const handle = await open(file.path, 'r+');
    await handle.write(new Uint8Array(end - start), 0, end - start, start);
    await handle.close();
    return `${relative(dataDir, file.path)} from ${start} to ${end}`;
  };
}

/** Cuts a file of a kind off at any place. */
export function cutFile(kind: FileKind): Damage {
  return async (dataDir, random) => {
    const file = pickByBytes(await filesOf(dataDir, kind), random);
    if (file === undefined) return undefined;
    const bytes = random.below(file.bytes);
    await truncate(file.path, bytes);
    return `${relative(dataDir, file.path)} cut from ${file.bytes} to ${bytes} bytes`;
  };
}

/** Removes a file of a kind. */
export function removeFile(kind: FileKind): Damage {
  return async (dataDir, random) => {
    const file = pickByBytes(await filesOf(dataDir, kind), random);
    if (file === undefined) return undefined;
    await rm(file.path);
    return relative(dataDir, file.path);
  };
}

/** Removes the store, or with '' everything. */
export function removeFolder(name: string): Damage {
  return async (dataDir) => {
    const path = join(dataDir, name);
    await rm(path, { recursive: true });
    return path;
  };
}

/**
 * Puts the beginning of a record behind the log, as a node leaves it that is killed while it writes: a whole header
 * (LevelDB's doc/log_format.md) and a part of what it announces. Nothing of it was acknowledged.
 */
export const tearLog: Damage = async (dataDir, random) => {
  const [file] = (await filesOf(dataDir, 'log')).sort((a, b) => (a.path < b.path ? 1 : -1));
  if (file === undefined) return undefined;
  const [announced, present] = [4000, 6 + random.below(3000)];
  // It must fit into its block, or it would be no such record.
  if ((file.bytes % BLOCK_BYTES) + announced > BLOCK_BYTES) return undefined;
  const torn = Buffer.from(Array.from({ length: present }, () => random.below(256)));
  torn.writeUInt16LE(announced, 4);
  torn[6] = 1;
  await appendFile(file.path, torn);
  return `${torn.length} bytes behind ${relative(dataDir, file.path)}`;
};

const PAGE_BYTES = 4096;
const BLOCK_BYTES = 32 * 1024;

async function filesOf(dataDir: string, kind: FileKind): Promise<StoredFile[]> {
  const entries = await readdir(dataDir, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const files = await Promise.all(
    paths.map(async (path) => ({ path, kind: kindOf(path), bytes: (await stat(path)).size })),
  );
  return files.filter((file) => file.kind === kind && file.bytes > 0);
}

function kindOf(path: string): FileKind {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (name === 'CURRENT') return 'current';
  if (name === 'acknowledged') return 'acknowledged';
  if (name.startsWith('MANIFEST')) return 'manifest';
  if (extname(name) === '.log') return 'log';
  return ['.ldb', '.sst'].includes(extname(name)) ? 'table' : 'notes';
}

/** Each byte of all files is as likely to be in the one that is picked. */
function pickByBytes(files: readonly StoredFile[], random: Prng): StoredFile | undefined {
  let at = random.below(
    Math.max(
      1,
      files.reduce((sum, { bytes }) => sum + bytes, 0),
    ),
  );
  return files.find(({ bytes }) => {
    at -= bytes;
    return at < 0;
  });
}

async function changeByte(path: string, at: number, change: (byte: number) => number) {
  const handle = await open(path, 'r+');
  const byte = new Uint8Array(1);
  await handle.read(byte, 0, 1, at);
  byte[0] = change(byte[0]!);
  await handle.write(byte, 0, 1, at);
  await handle.close();
}
