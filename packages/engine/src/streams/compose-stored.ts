// Composes deltas that are on disk only, page by page: what is kept meanwhile is the composition.

import type { Limits } from '@deltabase/base';
import type { LocalDocument } from '../documents/local-document.js';
import { storedDelta } from '../documents/tail.js';
import type { DiskReader } from '../ports.js';
import type { Failure } from '../results.js';
import type { Task } from '../task.js';
import { type Composition, composeDeltas } from './composed-delta.js';
import { readStored } from './history.js';

/** What was composed; without a composition: the deltas have more bytes than were wanted. */
export interface StoredComposition {
  readonly kind: 'composed';
  readonly composition: Composition | undefined;
}

/** What is to be composed. */
export interface ComposeRequest {
  /** Begins behind it. */
  readonly fromSeq: number;
  /** Ends there, or where the disk ends. */
  readonly seq: number;
  /** At most so many bytes of deltas. */
  readonly bytesMax: number;
}

/** Deltas by themselves take some times the bytes that they have in chunks, and a chunk read twice is work for nothing. */
const PAGE_CHUNKS = 4;

type PageLimits = Pick<Limits, 'chunkBytesMax'>;

/** The deltas behind `fromSeq` in one, from disk; damage is not answered but thrown. */
export function* composeStored(
  disk: DiskReader,
  local: LocalDocument,
  { fromSeq, seq, bytesMax }: ComposeRequest,
  { chunkBytesMax }: PageLimits,
): Task<StoredComposition | Failure> {
  let composition: Composition | undefined;
  for (let next = fromSeq + 1; next <= seq; ) {
    const page = yield* readStored(disk, local, next, PAGE_CHUNKS * chunkBytesMax);
    if (page.kind === 'failed') return page;
    const stored = page.deltas.slice(0, seq + 1 - next);
    if (stored.length === 0) break;
    const deltas = stored.map((bytes, at) => storedDelta(next + at, bytes));
    const bytes = stored.reduce((sum, each) => sum + each.length, composition?.bytes ?? 0);
    if (bytes > bytesMax) return { kind: 'composed', composition: undefined };
    composition = composeDeltas(composition, deltas);
    next += stored.length;
  }
  return { kind: 'composed', composition };
}
