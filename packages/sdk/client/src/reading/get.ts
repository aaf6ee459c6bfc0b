// Reads of a document: at a copy if there are some and they answer, else the leader's way. What is larger than is given at once is
// put together from the pieces of a watch.

import { DeltabaseError } from '@deltabase/base';
import { getAt, type Json, toJson } from '@deltabase/delta';
import type { CopyUse } from '../cluster/copy-links.js';
import type { ClientLimits } from '../limits.js';
import type { Link } from '../transport/transport.js';
import type { UnaryCalls, WireReadMode } from '../transport/wire.js';
import type { World } from '../world.js';
import type { Attempts, Patience } from './attempts.js';
import { checkMode, checkWhole } from './checks.js';
import type { Copies } from './copies.js';
import { jsonOf } from './events.js';
import type { OpenReads } from './open-reads.js';
import { StateBuilder } from './state.js';

/**
 * How fresh a read is: `linearizable` sees every message that was answered before it began, `stale` whatever
 * a node has, `{withinMs}` what is at most so many milliseconds old, `{atLeastSeq}` waits until a node has that seq
 * (read your own writes, anywhere).
 */
export type ReadMode =
  | 'linearizable'
  | 'stale'
  | { readonly withinMs: number }
  | { readonly atLeastSeq: number };

export interface ReadTarget {
  readonly space: string;
  readonly key: string;
  readonly pointer: string;
  readonly mode: ReadMode;
  readonly atSeq: number | undefined;
}

/** A document, or a part of it, at a seq. */
export interface ReadResult<Value = Json> {
  readonly seq: number;
  /** The rolling hash of the whole document at that seq: 16 hexadecimal digits. */
  readonly hash: string;
  readonly value: Value;
  /**
   * At most so many milliseconds before the answer, all that was committed is in it: measured, by whoever answered.
   * Not set where that is not known, as for an earlier seq.
   */
  readonly stalenessMs?: number;
}

export interface ReadingHost {
  readonly world: World;
  readonly limits: ClientLimits;
  readonly attempts: Attempts;
  readonly copies: Copies;
  readonly openReads: OpenReads;
}

/** Reads once. Throws INVALID_ARGUMENT for a mode or a seq that cannot be. */
export function readDocument(
  host: ReadingHost,
  target: ReadTarget,
  patience: Patience,
): Promise<ReadResult> {
  const { mode, atSeq } = target;
  checkMode(mode);
  if (atSeq !== undefined) checkWhole('atSeq', atSeq, 1);
  return host.openReads.run(() => readWithPatience(host, target, patience));
}

async function readWithPatience(
  host: ReadingHost,
  target: ReadTarget,
  patience: Patience,
): Promise<ReadResult> {
  const { world, limits, attempts, copies } = host;
  const { atSeq, mode } = target;
  const { signal } = patience;
  const untilMs = world.nowMs() + patience.timeoutMs;
  // The past is only to be had of nodes.
  const copy = atSeq === undefined ? copies.choose(target) : undefined;
  const atCopy = copy && (await readAtCopy(host, copy, target, patience));
  if (atCopy !== undefined) return atCopy;
  const timeoutMs = untilMs - world.nowMs();
  return attempts.run(
    { timeoutMs, signal },
    {
      about: target,
      attemptMs: limits.attemptTimeoutMs,
      atCutOff: mode === 'stale' && atSeq === undefined,
    },
    async (link, leftMs) => {
      const times = { timeoutMs: leftMs, piecesMs: leftMs };
      const { result, known } = await readOnce(link, target, { signal, ...times });
      if (atSeq === undefined) copies.learn(target, known);
      return result;
    },
  );
}

/** An answer, and where else the document may be read by the word of whoever gave it. */
interface Answer {
  readonly result: ReadResult;
  readonly known: readonly string[] | undefined;
}

interface Times {
  /** What one answer may take, and a state in pieces; ms. */
  readonly timeoutMs: number;
  readonly piecesMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Errors that every process would answer with. */
const SAME_EVERYWHERE = new Set<string>([
  'CANCELLED',
  'INVALID_ARGUMENT',
  'DOCUMENT_NOT_FOUND',
  'POINTER_NOT_FOUND',
]);

/** `undefined`: the copy has not answered in time, or failed. It gets half of the time at most. */
async function readAtCopy(
  { limits, copies }: ReadingHost,
  copy: CopyUse,
  target: ReadTarget,
  { timeoutMs, signal }: Patience,
): Promise<ReadResult | undefined> {
  const { copyTimeoutMs, attemptTimeoutMs } = limits;
  const halfMs = Math.ceil(timeoutMs / 2);
  const times = {
    timeoutMs: Math.min(halfMs, copyTimeoutMs),
    piecesMs: Math.min(halfMs, attemptTimeoutMs),
  };
  try {
    const { result, known } = await readOnce(copy.link, target, { signal, ...times });
    copy.worked();
    copies.learnOfCopy(target, known);
    return result;
  } catch (thrown) {
    if (!(thrown instanceof DeltabaseError) || SAME_EVERYWHERE.has(thrown.code)) throw thrown;
    // A seq may be on its way to all processes alike.
    const isAwaited = thrown.code === 'DEADLINE_EXCEEDED' && isAtLeast(target.mode);
    if (!isAwaited) copy.failed();
    return undefined;
  } finally {
    copy.left();
  }
}

function isAtLeast(mode: ReadMode): boolean {
  return typeof mode === 'object' && 'atLeastSeq' in mode;
}

async function readOnce(link: Link, target: ReadTarget, times: Times): Promise<Answer> {
  const { timeoutMs, piecesMs, signal } = times;
  try {
    const answer = await link.call('Get', requestOf(target), { timeoutMs, signal });
    const { seq, hash, stalenessMs, copies: known } = answer;
    const value = jsonOf(answer.value);
    const result =
      stalenessMs === undefined ? { seq, hash, value } : { seq, hash, value, stalenessMs };
    return { result, known };
  } catch (thrown) {
    if (!isTooLarge(thrown) || target.atSeq !== undefined) throw thrown;
    return await readInPieces(link, target, { timeoutMs: piecesMs, signal });
  }
}

function requestOf(target: ReadTarget): UnaryCalls['Get']['request'] {
  const { space, key, pointer, mode, atSeq } = target;
  return {
    space,
    key,
    pointer,
    mode: wireMode(mode),
    ...(typeof mode === 'object' ? mode : {}),
    ...(atSeq === undefined ? {} : { atSeq }),
  };
}

function wireMode(mode: ReadMode): WireReadMode {
  if (mode === 'linearizable') return 'READ_MODE_LINEARIZABLE';
  const isStale = mode === 'stale' || 'withinMs' in mode;
  return isStale ? 'READ_MODE_STALE' : 'READ_MODE_AT_LEAST_SEQ';
}

function isTooLarge(thrown: unknown): boolean {
  return thrown instanceof DeltabaseError && thrown.code === 'OUTPUT_TOO_LARGE';
}

/** A watch begins with a linearizable state, which is as fresh as any mode asks. */
async function readInPieces(
  link: Link,
  { space, key, pointer }: ReadTarget,
  patience: Patience,
): Promise<Answer> {
  const builder = new StateBuilder();
  let known: readonly string[] | undefined;
  for await (const { events, copies } of link.stream('Watch', { space, key }, patience)) {
    if (copies !== undefined && copies.length > 0) known = copies;
    for (const { state } of events) {
      const whole = state == null ? undefined : builder.add(state);
      if (whole === undefined) continue;
      const { seq, hash, root } = whole;
      const value = getAt(root, pointer);
      if (value !== undefined) return { result: { seq, hash, value: toJson(value) }, known };
      const why = `${space}/${key} holds nothing at ${JSON.stringify(pointer)}`;
      throw new DeltabaseError('POINTER_NOT_FOUND', why);
    }
  }
  throw new DeltabaseError('UNAVAILABLE', 'the node ended the watch before the state was whole');
}
