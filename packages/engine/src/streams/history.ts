// The deltas of a document that were ever applied, page by page: what is still in its tail from memory, the
// rest from disk.

import { DeltabaseError, type Limits } from '@deltabase/base';
import { type DeltaRecord, decodeRecord } from '@deltabase/machine';
import type { LocalDocument } from '../documents/local-document.js';
import { readDeltas } from '../documents/stored-document.js';
import { recordOf } from '../documents/tail.js';
import type { DiskReader } from '../ports.js';
import { type Failure, failureOf } from '../results.js';
import type { Task } from '../task.js';

/** One page of history. */
export interface HistoryPage {
  readonly kind: 'page';
  readonly deltas: readonly DeltaRecord[];
}

/** About as many bytes of deltas, and one at least, make a page. */
const PAGE_BYTES = 1024 * 1024;

/** Deltas from `fromSeq` on, at most a page of them; none if `fromSeq` is beyond the document's seq. */
export function* readHistory(
  disk: DiskReader,
  local: LocalDocument,
  fromSeq: number,
  limits: Limits,
): Task<HistoryPage | Failure> {
  if (fromSeq > local.seq) return { kind: 'page', deltas: [] };
  const recent = fromTail(local, fromSeq, limits.historyPageMax);
  if (recent.length > 0) return { kind: 'page', deltas: recent };
  const stored = yield* readStored(disk, local, fromSeq, PAGE_BYTES, limits.historyPageMax);
  if (stored.kind === 'failed') return stored;
  return { kind: 'page', deltas: stored.deltas.map(decodeRecord) };
}

/** Deltas from disk, each by itself, of consecutive seqs. */
export interface StoredDeltas {
  readonly kind: 'deltas';
  readonly deltas: readonly Uint8Array[];
}

/** Stored deltas from `fromSeq` on, or why there are none. Damage is not answered but thrown. */
export function* readStored(
  disk: DiskReader,
  local: LocalDocument,
  fromSeq: number,
  bytesMax: number,
  countMax?: number,
): Task<StoredDeltas | Failure> {
  try {
    const deltas = yield* readDeltas(disk, local.prefix, fromSeq, bytesMax, countMax);
    return { kind: 'deltas', deltas };
  } catch (thrown) {
    const isAnswer = thrown instanceof DeltabaseError && thrown.code === 'HISTORY_GONE';
    if (!isAnswer) throw thrown;
    return failureOf(thrown);
  }
}

function fromTail(local: LocalDocument, fromSeq: number, max: number): DeltaRecord[] {
  const deltas: DeltaRecord[] = [];
  let bytes = 0;
  for (let seq = fromSeq; deltas.length < max && bytes < PAGE_BYTES; seq++) {
    const delta = local.tail.find(seq);
    if (delta === undefined) break;
    bytes += delta.bytes.length;
    deltas.push(recordOf(delta));
  }
  return deltas;
}
