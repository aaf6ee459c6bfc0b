// One patch in place of several deltas: it leads from the state at one seq to that at a later one, as they do
// (StateIsFold). It is made in one of two ways: as the difference of two states, which costs what differs
// however many deltas were missed, or by composing the deltas, where the earlier state is not at hand.

import {
  bytesOf,
  composePatches,
  diffWithin,
  encodePatch,
  hashText,
  type Patch,
  parsePatch,
  patchBytes,
  type Value,
  type Version,
} from '@deltabase/delta';
import { COMMITTED } from '@deltabase/machine';
import { recordOf, type TailDelta } from '../documents/tail.js';
import type { StreamedDocument } from './document-source.js';

/** Watchers share it; `encoded` is for a transport to keep its form of it in. */
export interface ComposedDelta {
  /** It fits the document at this seq. */
  readonly fromSeq: number;
  /** The document's seq after it. */
  readonly seq: number;
  /** RFC 6902 as canonical JSON. */
  readonly patch: Uint8Array;
  /** The state's hash after it. */
  readonly hash: string;
  encoded: unknown;
}

/** Deltas composed, not encoded yet. */
export interface Composition {
  readonly seq: number;
  readonly patch: Patch;
  readonly hash: string;
  /** Bytes of the deltas. */
  readonly bytes: number;
}

/** Comparing what was rewritten since takes some 30 ms at most; with more the state is given. */
const REWRITTEN_BYTES_MAX = 16 * 1024 * 1024;
/** So many bytes of deltas are composed even if the state has fewer. */
const DELTAS_BYTES_MIN = 64 * 1024;

/**
 * The difference between two versions of a document, between which at most `rewrittenBytes` of it were
 * rewritten; `undefined` if it takes more than `bytesMax` bytes, or too long to find.
 */
export function differenceOf(
  from: Version,
  to: Version,
  { rewrittenBytes, bytesMax }: { readonly rewrittenBytes: number; readonly bytesMax: number },
): ComposedDelta | undefined {
  if (rewrittenBytes > REWRITTEN_BYTES_MAX) return undefined;
  const patch = diffWithin(from.root, to.root, bytesMax);
  if (patch === undefined) return undefined;
  return encoded(from.seq, { seq: to.seq, patch, hash: hashText(to.root) });
}

/** So many bytes of deltas are worth composing where the document is at `root`; at most `bytesMax`. */
export function composableBytes(root: Value, bytesMax: number): number {
  return Math.min(bytesMax, Math.max(DELTAS_BYTES_MIN, bytesOf(root)));
}

interface DeltaSpan {
  readonly fromSeq: number;
  readonly seq: number;
  readonly bytesMax: number;
}

/**
 * The deltas of `(fromSeq, seq]` as long as they are in the tail and have at most `bytesMax` bytes;
 * `gone` if they are not all there, `many` if they have more.
 */
export function deltasOf(
  tail: StreamedDocument['tail'],
  { fromSeq, seq, bytesMax }: DeltaSpan,
): readonly TailDelta[] | 'gone' | 'many' {
  const deltas: TailDelta[] = [];
  let bytes = 0;
  for (let next = fromSeq + 1; next <= seq; next++) {
    const delta = tail.find(next);
    if (delta === undefined) return 'gone';
    bytes += delta.bytes.length;
    if (bytes > bytesMax) return 'many';
    deltas.push(delta);
  }
  return deltas;
}

/** `deltas`, at least one, composed behind `before` if that is given. */
export function composeDeltas(
  before: Composition | undefined,
  deltas: readonly TailDelta[],
): Composition {
  const patches = deltas.map((delta) => parsePatch(recordOf(delta).patch, COMMITTED));
  const { seq, hash } = recordOf(deltas.at(-1)!);
  const bytes = deltas.reduce((sum, delta) => sum + delta.bytes.length, before?.bytes ?? 0);
  const all = before === undefined ? patches : [before.patch, ...patches];
  return { seq, hash, bytes, patch: composePatches(all) };
}

/** A composition from `fromSeq` on as watchers get it; `undefined` if it has more than `bytesMax` bytes. */
export function composedDelta(
  fromSeq: number,
  composition: Composition,
  bytesMax: number,
): ComposedDelta | undefined {
  if (patchBytes(composition.patch) > bytesMax) return undefined;
  return encoded(fromSeq, composition);
}

function encoded(
  fromSeq: number,
  { seq, patch, hash }: Pick<Composition, 'seq' | 'patch' | 'hash'>,
): ComposedDelta {
  return { fromSeq, seq, patch: encodePatch(patch), hash, encoded: undefined };
}
