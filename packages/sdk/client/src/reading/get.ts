// Reads of a document. What is larger than a node gives at once is put together from the pieces of a watch.

import { DeltabaseError } from '@deltabase/base';
import { getAt, type Json, toJson } from '@deltabase/delta';
import type { ClientLimits } from '../limits.js';
import type { Link } from '../transport/transport.js';
import type { UnaryCalls, WireReadMode } from '../transport/wire.js';
import type { Attempts, Patience } from './attempts.js';
import { jsonOf } from './events.js';
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
  readonly group: number;
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

/** Reads once. */
export async function readDocument(
  { attempts, limits }: { readonly attempts: Attempts; readonly limits: ClientLimits },
  target: ReadTarget,
  patience: Patience,
): Promise<ReadResult> {
  const request = requestOf(target);
  const { group } = target;
  const { signal } = patience;
  return attempts.run(
    patience,
    { group, attemptMs: limits.attemptTimeoutMs },
    async (link, timeoutMs) => {
      try {
        const answer = await link.call('Get', request, { timeoutMs, signal });
        const { seq, hash, stalenessMs } = answer;
        const value = jsonOf(answer.value);
        return stalenessMs === undefined ? { seq, hash, value } : { seq, hash, value, stalenessMs };
      } catch (thrown) {
        if (!isTooLarge(thrown) || target.atSeq !== undefined) throw thrown;
        return await readInPieces(link, target, { timeoutMs, signal });
      }
    },
  );
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
): Promise<ReadResult> {
  const builder = new StateBuilder();
  for await (const { events } of link.stream('Watch', { space, key }, patience)) {
    for (const { state } of events) {
      const whole = state == null ? undefined : builder.add(state);
      if (whole === undefined) continue;
      const { seq, hash, root } = whole;
      const value = getAt(root, pointer);
      if (value !== undefined) return { seq, hash, value: toJson(value) };
      const why = `${space}/${key} holds nothing at ${JSON.stringify(pointer)}`;
      throw new DeltabaseError('POINTER_NOT_FOUND', why);
    }
  }
  throw new DeltabaseError('UNAVAILABLE', 'the node ended the watch before the state was whole');
}
