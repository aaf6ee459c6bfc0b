// Reads the records of a file in LevelDB's log format (doc/log_format.md there): blocks of 32 KiB with fragments of
// records, each behind a checksum. The manifest is such a file.

import { maskedCrc32c } from './crc32c.js';
import { Cursor, FormatError } from './cursor.js';

const BLOCK_BYTES = 32 * 1024;
const HEADER_BYTES = 7;
const [FULL, FIRST, MIDDLE, LAST] = [1, 2, 3, 4];

/** Every whole record. One that the file ends in was not finished being written. Throws FormatError for damage. */
export function logRecords(file: Uint8Array): Uint8Array[] {
  const records: Uint8Array[] = [];
  let parts: Uint8Array[] | undefined;
  for (const { kind, payload } of fragments(file)) {
    const begins = kind === FULL || kind === FIRST;
    if (begins !== (parts === undefined)) throw new FormatError('a record is incomplete');
    parts = [...(parts ?? []), payload];
    if (kind === FIRST || kind === MIDDLE) continue;
    records.push(Buffer.concat(parts));
    parts = undefined;
  }
  return records;
}

function* fragments(file: Uint8Array): Generator<{ kind: number; payload: Uint8Array }> {
  for (let at = 0; at + HEADER_BYTES <= file.length; ) {
    const blockEnd = at - (at % BLOCK_BYTES) + BLOCK_BYTES;
    if (blockEnd - at < HEADER_BYTES) {
      at = blockEnd; // Too little for a header: filled up with zeros.
      continue;
    }
    const header = new Cursor(file, at);
    const [checksum, length, kind] = [header.fixed(4), header.fixed(2), header.fixed(1)];
    const [start, end] = [header.at, header.at + length];
    if (end > blockEnd) throw new FormatError('a record is longer than its block');
    if (end > file.length) return;
    if (maskedCrc32c(file, start - 1, end) !== checksum || kind < FULL! || kind > LAST!) {
      throw new FormatError(`the record at ${at} fails its checksum`);
    }
    yield { kind, payload: file.subarray(start, end) };
    at = end;
  }
}
