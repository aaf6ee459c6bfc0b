// A document on disk: snapshots every so often, cut into pieces, and chunks of deltas, all of them kept
// (history is complete). Its state at a seq is the newest whole snapshot at or before it, with the deltas
// between folded on. Loading goes in slices, so that a large document does not hold up the others.

import { assert, DeltabaseError, pack, unpack } from '@deltabase/base';
import {
  applyPatch,
  hashText,
  PieceBuilder,
  parsePatch,
  parsePiece,
  type Value,
  type Version,
} from '@deltabase/delta';
import { DeltasWriter, decodeCommand, decodeRecord } from '@deltabase/machine';
import type { DiskReader, DiskRow } from '../ports.js';
import { documentRange, documentRowOf } from '../storage/keys.js';
import { type Task, wait } from '../task.js';

/** A loaded state, and how many bytes of deltas were folded to get from the last snapshot to it. */
export interface LoadedDocument extends Version {
  readonly bytesSinceSnapshot: number;
}

/** Deltas in their stored form, of consecutive seqs from `firstSeq` on. */
export interface StoredDeltas {
  readonly firstSeq: number;
  readonly deltas: readonly Uint8Array[];
}

const PIECE_VERSION = 1;
/** Bytes handled without a pause: some milliseconds of parsing. */
const SLICE_BYTES = 256 * 1024;
const PAGE_BYTES = 1024 * 1024;

/** The bytes of a chunk of stored deltas. */
export function encodeChunk(deltas: readonly { readonly bytes: Uint8Array }[]): Uint8Array {
  const writer = new DeltasWriter();
  for (const { bytes } of deltas) writer.add(bytes);
  return writer.finish();
}

/** The bytes of one piece of a snapshot; the last one carries the hash of the whole state. */
export function encodeSnapshotPiece(piece: Uint8Array, hash: string | undefined): Uint8Array {
  return pack([PIECE_VERSION, hash ?? null, piece]);
}

/**
 * Loads the state at `seqMax`, or the latest. `undefined` if there is nothing on disk. Throws DATA_CORRUPT
 * if rows are missing or the result does not hash to what the leader made of it.
 */
export function* loadDocument(
  disk: DiskReader,
  prefix: Uint8Array,
  seqMax = Number.MAX_SAFE_INTEGER - 1,
): Task<LoadedDocument | undefined> {
  const { pieces, chunks } = yield* readBackwards(disk, prefix, seqMax);
  if (pieces.length === 0 && chunks.length === 0) return undefined;
  let version: Version = { seq: 0, root: null };
  if (pieces.length > 0) version = yield* buildSnapshot(pieces);
  return yield* foldChunks(version, chunks, seqMax);
}

/**
 * Reads stored deltas from `fromSeq` on, about `bytesMax` of them but at least one; none if there is none
 * on disk. Throws HISTORY_GONE if `fromSeq` itself is missing though later ones are there.
 */
export function* readDeltas(
  disk: DiskReader,
  prefix: Uint8Array,
  fromSeq: number,
  bytesMax: number,
): Task<StoredDeltas> {
  const start = yield* chunkStartAt(disk, prefix, fromSeq);
  const range = { ...documentRange(prefix, start, MAX_SEQ), bytesMax };
  const rows = yield* wait<readonly DiskRow[]>((done) => disk.range(range, done));
  const deltas: Uint8Array[] = [];
  for (const row of rows) {
    const { kind, seq } = documentRowOf(row.key, prefix.length);
    if (kind === 'piece') continue;
    const records = recordsOf(row.value);
    const skip = Math.max(0, fromSeq + deltas.length - seq);
    if (seq > fromSeq + deltas.length) throw historyGone(fromSeq + deltas.length);
    deltas.push(...records.slice(skip));
  }
  return { firstSeq: fromSeq, deltas };
}

const MAX_SEQ = Number.MAX_SAFE_INTEGER - 1;

interface Piece {
  readonly seq: number;
  readonly number: number;
  readonly hash: string | undefined;
  readonly bytes: Uint8Array;
}

interface Chunk {
  readonly firstSeq: number;
  readonly records: readonly Uint8Array[];
}

/** Rows from the end back to the newest whole snapshot; both lists oldest first. */
function* readBackwards(
  disk: DiskReader,
  prefix: Uint8Array,
  seqMax: number,
): Task<{ pieces: Piece[]; chunks: Chunk[] }> {
  const range = documentRange(prefix, 0, seqMax + 1);
  const chunks: Chunk[] = [];
  let pieces: Piece[] = [];
  let { end } = range;
  for (let more = true; more; ) {
    const page = yield* readPage(disk, { start: range.start, end });
    more = page.more;
    for (const row of page.rows) {
      end = row.key;
      const place = documentRowOf(row.key, prefix.length);
      if (place.kind === 'chunk') {
        chunks.push({ firstSeq: place.seq, records: recordsOf(row.value) });
        continue;
      }
      pieces = addPiece(pieces, pieceOf(place.seq, place.piece, row.value));
      if (pieces.at(-1)?.number === 0) {
        return { pieces: pieces.reverse(), chunks: chunks.reverse() };
      }
    }
  }
  return { pieces: [], chunks: chunks.reverse() };
}

function readPage(
  disk: DiskReader,
  range: { readonly start: Uint8Array; readonly end: Uint8Array },
): Task<{ rows: readonly DiskRow[]; more: boolean }> {
  return wait((done) =>
    disk.range({ ...range, reverse: true, bytesMax: PAGE_BYTES }, (rows, more) =>
      done({ rows, more }),
    ),
  );
}

/** Pieces come last one first. A snapshot whose last piece was never written is not one. */
function addPiece(pieces: Piece[], piece: Piece): Piece[] {
  if (piece.hash !== undefined) return [piece];
  const previous = pieces.at(-1);
  const continues = previous?.seq === piece.seq && previous.number === piece.number + 1;
  return continues ? [...pieces, piece] : [];
}

function* buildSnapshot(pieces: readonly Piece[]): Task<Version> {
  const builder = new PieceBuilder();
  let bytes = 0;
  for (const piece of pieces) {
    builder.add(parsePiece(piece.bytes));
    bytes += piece.bytes.length;
    if (bytes >= SLICE_BYTES) {
      yield* pause();
      bytes = 0;
    }
  }
  const { seq, hash } = pieces.at(-1)!;
  const root = builder.finish();
  checkHash(root, hash, seq);
  return { seq, root };
}

function* foldChunks(
  start: Version,
  chunks: readonly Chunk[],
  seqMax: number,
): Task<LoadedDocument> {
  let { seq, root } = start;
  let bytes = 0;
  let sliceBytes = 0;
  let hash: string | undefined;
  for (const { firstSeq, records } of chunks) {
    for (const [offset, stored] of records.entries()) {
      if (firstSeq + offset <= seq) continue;
      if (firstSeq + offset > seqMax) break;
      if (firstSeq + offset !== seq + 1) throw corrupt(`delta ${seq + 1} of a document is missing`);
      const record = decodeRecord(stored);
      root = applyPatch(root, parsePatch(record.patch));
      hash = record.hash;
      seq++;
      bytes += stored.length;
      sliceBytes += stored.length;
      if (sliceBytes >= SLICE_BYTES) {
        yield* pause();
        sliceBytes = 0;
      }
    }
  }
  checkHash(root, hash, seq);
  return { seq, root, bytesSinceSnapshot: bytes };
}

/** Where to start reading forwards so as not to miss the chunk that holds `seq`. */
function* chunkStartAt(disk: DiskReader, prefix: Uint8Array, seq: number): Task<number> {
  const { start } = documentRange(prefix, 0, 0);
  let { end } = documentRange(prefix, 0, seq + 1);
  for (;;) {
    const range = { start, end, reverse: true, rowsMax: 8 };
    const rows = yield* wait<readonly DiskRow[]>((done) => disk.range(range, done));
    for (const { key } of rows) {
      const place = documentRowOf(key, prefix.length);
      if (place.kind === 'chunk') return place.seq;
      end = key;
    }
    if (rows.length === 0) return 0;
  }
}

function pause(): Task<void> {
  return wait((done) => done());
}

function recordsOf(chunk: Uint8Array): readonly Uint8Array[] {
  const command = decodeCommand(chunk);
  assert(command.kind === 'deltas', 'a chunk holds deltas');
  return command.records;
}

function pieceOf(seq: number, number: number, value: Uint8Array): Piece {
  const fields = unpack(value);
  if (!Array.isArray(fields) || fields[0] !== PIECE_VERSION) {
    throw corrupt('a piece of a snapshot has an unknown version or form');
  }
  return { seq, number, hash: fields[1] ?? undefined, bytes: fields[2] };
}

function checkHash(root: Value, hash: string | undefined, seq: number): void {
  if (hash === undefined || hashText(root) === hash) return;
  throw corrupt(`a document at seq ${seq} is not the fold of its deltas (StateIsFold)`);
}

function corrupt(message: string): DeltabaseError {
  return new DeltabaseError('DATA_CORRUPT', `${message}: replace this node by a fresh one`);
}

function historyGone(seq: number): DeltabaseError {
  return new DeltabaseError(
    'HISTORY_GONE',
    `delta ${seq} is not in the history any more: start over from the present state`,
    { details: { seq } },
  );
}
