// A document on disk: snapshots every so often, cut into pieces, and chunks of deltas, all of them kept
// (history is complete). Its state at a seq is the newest whole snapshot at or before it, with the deltas
// between folded on. A snapshot ends where a chunk ends. Loading goes in slices, so that a large document
// does not hold up the others.

import { assert, DeltabaseError, pack, unpack } from '@deltabase/base';
import {
  applyPatch,
  hashText,
  PieceBuilder,
  parsePiece,
  type Value,
  type Version,
} from '@deltabase/delta';
import { COMMITTED, decodeCommand, decodeStep, recordAt } from '@deltabase/machine';
import type { DiskRange, DiskReader, DiskRow } from '../ports.js';
import {
  chunksRange,
  documentRange,
  firstSeqOfChunk,
  isChunkKey,
  keyAfter,
  pieceKey,
  piecesRange,
  placeOfPiece,
} from '../storage/keys.js';
import { type Task, wait } from '../task.js';
import { foldBytes } from './local-document.js';

/** A loaded state, and how many bytes of deltas were folded to get from the last snapshot to it. */
export interface LoadedDocument extends Version {
  readonly bytesSinceSnapshot: number;
}

const PIECE_VERSION = 1;
const NOTHING: Version = { seq: 0, root: null };
/** Bytes handled without a pause: some milliseconds of parsing. */
const SLICE_BYTES = 128 * 1024;
const PAGE_BYTES = 1024 * 1024;
const MAX_SEQ = Number.MAX_SAFE_INTEGER - 1;

/** The bytes of one piece of a snapshot; the last one carries the hash of the whole state. */
export function encodeSnapshotPiece(piece: Uint8Array, hash: string | undefined): Uint8Array {
  return pack([PIECE_VERSION, hash ?? null, piece]);
}

/**
 * Loads the state at `seqMax`, or the latest; at seq 0 if there is nothing on disk. Throws DATA_CORRUPT if
 * rows are missing or the result does not hash to what the leader made of it.
 */
export function* loadDocument(
  disk: DiskReader,
  prefix: Uint8Array,
  seqMax = MAX_SEQ,
): Task<LoadedDocument> {
  const { rows } = yield* readPage(disk, { rowsMax: 1, ...documentRange(prefix) });
  const first = rows[0];
  if (first === undefined) return { bytesSinceSnapshot: 0, ...NOTHING };
  // Snapshots come first.
  const hasSnapshot = !isChunkKey(prefix, first.key);
  const snapshot = hasSnapshot ? yield* loadSnapshot(disk, prefix, seqMax) : NOTHING;
  return yield* foldChunks(disk, prefix, snapshot, seqMax);
}

/**
 * Reads stored deltas from `fromSeq` on, each by itself, `countMax` or about `bytesMax` of them but at least one; none
 * if there is none on disk. Throws HISTORY_GONE if `fromSeq` itself is missing though later ones are there.
 */
export function* readDeltas(
  disk: DiskReader,
  prefix: Uint8Array,
  fromSeq: number,
  bytesMax: number,
  countMax = Number.POSITIVE_INFINITY,
): Task<Uint8Array[]> {
  const deltas: Uint8Array[] = [];
  let bytesLeft = bytesMax;
  const isFull = (): boolean => bytesLeft <= 0 || deltas.length >= countMax;
  const take = ({ key, value }: DiskRow): void => {
    const skipped = fromSeq + deltas.length - firstSeqOfChunk(key);
    for (const offset of offsetsIn(value).slice(skipped)) {
      if (isFull()) return;
      const delta = recordAt(value, offset);
      deltas.push(delta);
      bytesLeft -= delta.length;
    }
  };
  const before = yield* readPage(disk, {
    ...chunksRange(prefix, 0, fromSeq + 1),
    ...{ reverse: true, rowsMax: 1 },
  });
  before.rows.forEach(take);
  if (isFull()) return deltas;
  const range = chunksRange(prefix, fromSeq + deltas.length, MAX_SEQ);
  // Small deltas by themselves have twice the bytes that they have in a chunk.
  const { rows } = yield* readPage(disk, { ...range, bytesMax: bytesLeft / 2 });
  for (const row of rows) {
    if (firstSeqOfChunk(row.key) !== fromSeq + deltas.length) {
      if (deltas.length === 0) throw historyGone(fromSeq);
      break;
    }
    take(row);
    if (isFull()) break;
  }
  return deltas;
}

/** The newest whole snapshot at or before `seqMax`; seq 0 if there is none. */
function* loadSnapshot(disk: DiskReader, prefix: Uint8Array, seqMax: number): Task<Version> {
  const { start, end } = piecesRange(prefix, 0, seqMax + 1);
  for (let before = end; ; ) {
    const range = { start, end: before, reverse: true, rowsMax: 1 };
    const { rows } = yield* readPage(disk, range);
    const row = rows[0];
    if (row === undefined) return NOTHING;
    const { seq, number } = placeOfPiece(row.key);
    const { hash } = pieceOf(row.value);
    if (hash !== undefined) {
      const root = yield* buildSnapshot(disk, prefix, seq, number === 0 ? row : undefined);
      checkHash(root, hash, seq);
      return { seq, root };
    }
    // The last piece was never written: it is no snapshot.
    before = pieceKey(prefix, seq, 0);
  }
}

/** The state in the snapshot at `seq`, whose only piece is `only` if that is given. */
function* buildSnapshot(
  disk: DiskReader,
  prefix: Uint8Array,
  seq: number,
  only: DiskRow | undefined,
): Task<Value> {
  const builder = new PieceBuilder(COMMITTED);
  if (only !== undefined) {
    addPiece(builder, only, 0);
    return builder.finish();
  }
  const { start, end } = piecesRange(prefix, seq, seq + 1);
  let count = 0;
  for (let from = start, more = true; more; ) {
    const page = yield* readPage(disk, { start: from, end, bytesMax: SLICE_BYTES });
    for (const row of page.rows) addPiece(builder, row, count++);
    more = page.more;
    if (more) from = keyAfter(page.rows.at(-1)!.key);
  }
  return builder.finish();
}

function addPiece(builder: PieceBuilder, row: DiskRow, number: number): void {
  const place = placeOfPiece(row.key);
  if (place.number !== number) throw corrupt(`piece ${number} of a snapshot is missing`);
  builder.add(parsePiece(pieceOf(row.value).bytes, COMMITTED));
}

/** Folds the deltas behind `start` onto it. */
function* foldChunks(
  disk: DiskReader,
  prefix: Uint8Array,
  start: Version,
  seqMax: number,
): Task<LoadedDocument> {
  const { seq, root } = start;
  const fold: Fold = { seq, root, hash: undefined, bytes: 0, sliceBytes: 0 };
  const range = chunksRange(prefix, start.seq + 1, seqMax + 1);
  for (let from = range.start, more = true; more; ) {
    const page = yield* readPage(disk, { start: from, end: range.end, bytesMax: PAGE_BYTES });
    for (const { key, value } of page.rows) {
      if (firstSeqOfChunk(key) !== fold.seq + 1) throw missing(fold.seq + 1);
      yield* foldChunk(fold, value, seqMax);
    }
    more = page.more;
    if (more) from = keyAfter(page.rows.at(-1)!.key);
  }
  if (fold.hash !== undefined) checkHash(fold.root, fold.hash, fold.seq);
  return { seq: fold.seq, root: fold.root, bytesSinceSnapshot: fold.bytes };
}

interface Fold {
  seq: number;
  root: Value;
  /** Of the last delta. */
  hash: string | undefined;
  bytes: number;
  sliceBytes: number;
}

function* foldChunk(fold: Fold, chunk: Uint8Array, seqMax: number): Task<void> {
  for (const offset of offsetsIn(chunk)) {
    if (fold.seq >= seqMax) return;
    const step = decodeStep(chunk, offset);
    if (step.seq !== fold.seq + 1) throw missing(fold.seq + 1);
    fold.root = applyPatch(fold.root, step.patch);
    fold.seq = step.seq;
    fold.hash = step.hash;
    const bytes = foldBytes(chunk, offset);
    fold.bytes += bytes;
    fold.sliceBytes += bytes;
    if (fold.sliceBytes < SLICE_BYTES) continue;
    fold.sliceBytes = 0;
    yield* pause();
  }
}

function readPage(
  disk: DiskReader,
  range: DiskRange,
): Task<{ rows: readonly DiskRow[]; more: boolean }> {
  return wait((done) => disk.range(range, (rows, more) => done({ rows, more })));
}

function pause(): Task<void> {
  return wait((done) => done());
}

/** Where the records of a chunk are. */
function offsetsIn(chunk: Uint8Array): readonly number[] {
  const command = decodeCommand(chunk);
  assert(command.kind === 'deltas', 'a chunk holds deltas');
  return command.offsets;
}

function pieceOf(value: Uint8Array): { hash: string | undefined; bytes: Uint8Array } {
  const fields = unpack(value);
  if (!Array.isArray(fields) || fields[0] !== PIECE_VERSION) {
    throw corrupt('a piece of a snapshot has an unknown version or form');
  }
  return { hash: fields[1] ?? undefined, bytes: fields[2] };
}

function checkHash(root: Value, hash: string, seq: number): void {
  if (hashText(root) === hash) return;
  throw corrupt(`a document at seq ${seq} is not the fold of its deltas (StateIsFold)`);
}

function missing(seq: number): DeltabaseError {
  return corrupt(`delta ${seq} of a document is missing`);
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
