// Holds a sorted table of LevelDB against its checksums (doc/table_format.md there). LevelDB looks at none of them
// when it reads: a flipped bit in a key, in the index or in the Bloom filter makes rows disappear, and one in a
// sequence number brings an old value back. Every byte of the file must belong to a block that is whole.

import { maskedCrc32c } from './crc32c.js';
import { Cursor, FormatError } from './cursor.js';
import { decompress } from './snappy.js';

const TRAILER_BYTES = 5;
const FOOTER_BYTES = 48;
const HANDLES_BYTES = 40;
const MAGIC = [0xdb477524, 0x8b80fb57] as const;
const SNAPPY = 1;
/** Of a block that is read here: an index or less. */
const BLOCK_BYTES_MAX = 256 * 1024 * 1024;

/** Where a block is, without its trailer. */
interface Handle {
  readonly start: number;
  readonly bytes: number;
}

/** Throws FormatError unless every bit of the table is as it was written. */
export function checkTable(file: Uint8Array): void {
  const { meta, index } = readFooter(file);
  const data = entriesOf(blockAt(file, index)).map(handleIn);
  const filters = entriesOf(blockAt(file, meta)).map(handleIn);
  let at = 0;
  for (const handle of [...data, ...filters, meta, index]) {
    if (handle.start !== at) throw new FormatError(`no block begins at ${at}`);
    checkBlock(file, handle);
    at += handle.bytes + TRAILER_BYTES;
  }
  if (at + FOOTER_BYTES !== file.length) throw new FormatError('there is more than its blocks');
}

function readFooter(file: Uint8Array): { meta: Handle; index: Handle } {
  const start = file.length - FOOTER_BYTES;
  if (start < 0) throw new FormatError('it is too short');
  const footer = new Cursor(file, start);
  const [meta, index] = [readHandle(footer), readHandle(footer)];
  const padding = footer.bytes(start + HANDLES_BYTES - footer.at);
  const [low, high] = [footer.fixed(4), footer.fixed(4)];
  if (padding.some((byte) => byte !== 0) || high !== MAGIC[0] || low !== MAGIC[1]) {
    throw new FormatError('its end is damaged');
  }
  return { meta, index };
}

function readHandle(cursor: Cursor): Handle {
  return { start: cursor.varint(), bytes: cursor.varint() };
}

function handleIn(entry: Uint8Array): Handle {
  return readHandle(new Cursor(entry));
}

function checkBlock(file: Uint8Array, { start, bytes }: Handle): void {
  const trailer = new Cursor(file, start + bytes, start + bytes + TRAILER_BYTES);
  const end = trailer.at + 1;
  trailer.bytes(1);
  if (end + 4 > file.length || trailer.fixed(4) !== maskedCrc32c(file, start, end)) {
    throw new FormatError(`the block at ${start} fails its checksum`);
  }
}

/** The content of a block that is whole. */
function blockAt(file: Uint8Array, handle: Handle): Uint8Array {
  checkBlock(file, handle);
  const end = handle.start + handle.bytes;
  const content = file.subarray(handle.start, end);
  return file[end] === SNAPPY ? decompress(content, BLOCK_BYTES_MAX) : content;
}

/** The values of a block's entries; places where keys are written in full follow them. */
function entriesOf(block: Uint8Array): Uint8Array[] {
  const places = new Cursor(block, Math.max(0, block.length - 4)).fixed(4);
  const entries = new Cursor(block, 0, block.length - 4 * (places + 1));
  const values: Uint8Array[] = [];
  while (!entries.isAtEnd) {
    entries.varint(); // What its key has in common with the one before.
    const [keyBytes, valueBytes] = [entries.varint(), entries.varint()];
    entries.bytes(keyBytes);
    values.push(entries.bytes(valueBytes));
  }
  return values;
}
