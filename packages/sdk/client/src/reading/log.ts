// The Raft log of a group, entry by entry, over as many calls and nodes as that takes.

import { DeltabaseError } from '@deltabase/base';
import { type DeltaRecord, decodeRecord } from '@deltabase/machine';
import type { Endpoint } from '../cluster/endpoint.js';
import type { Topology } from '../cluster/topology.js';
import type { ClientLimits } from '../limits.js';
import type { WireLogEntry } from '../transport/wire.js';
import type { World } from '../world.js';
import { AnswerAlarm } from './answer-alarm.js';
import { type Attempts, mendable, type Patience } from './attempts.js';
import { checkLimit, checkWhole } from './checks.js';

/** An entry of a group's Raft log. */
export interface LogEntry {
  readonly index: number;
  readonly term: number;
  /** `deltas`, `activate`, `configuration` or `empty`. */
  readonly kind: string;
  readonly bytes: number;
  readonly committed: boolean;
  /** The deltas in it, with their causes. */
  readonly records: readonly DeltaRecord[];
  /** What else it says, for people. */
  readonly summary: string;
}

export interface LogTarget {
  readonly group: number;
  /** The first index wanted; 0: the oldest there is. */
  readonly from: number;
  /** At most so many; may be Infinity. */
  readonly limit: number;
  /** Go on with entries as they are committed. */
  readonly follow: boolean;
  /** The node whose log it is; any if `undefined`, the group's leader first. */
  readonly node: number | undefined;
}

export interface LogHost {
  readonly world: World;
  readonly limits: ClientLimits;
  readonly attempts: Attempts;
  readonly topology: Topology;
}

/**
 * Gives entries until there are no more or, following, for ever. `timeoutMs` is for each wait. Throws INVALID_ARGUMENT for
 * numbers that cannot be.
 */
export async function* logEntries(
  { world, limits, attempts, topology }: LogHost,
  { group, from, limit, follow, node }: LogTarget,
  { timeoutMs, signal }: Patience,
): AsyncGenerator<LogEntry, void, void> {
  checkWhole('group', group, 0);
  checkWhole('from', from, 0);
  checkLimit(limit);
  let next = from;
  let left = limit;
  let untilMs = world.nowMs() + timeoutMs;
  let last: DeltabaseError | undefined;
  for (let attempt = 0; left > 0; attempt++) {
    if (attempt > 0) await attempts.rest(attempt, untilMs - world.nowMs(), signal);
    if (world.nowMs() >= untilMs && last !== undefined) throw last;
    const { link } =
      node === undefined
        ? await attempts.endpoint(group, attempt, untilMs, signal, last)
        : endpointOf(topology, node);
    const request = { group, fromIndex: next, limit: left === Infinity ? 0 : left, follow };
    const begunMs = world.nowMs();
    let isCommitted = true;
    const alarm = new AnswerAlarm(world, signal);
    const setAlarm = (): void => {
      // Who follows waits for what is not there yet.
      if (!follow) alarm.set(Math.min(untilMs - world.nowMs(), limits.attemptTimeoutMs));
    };
    setAlarm();
    try {
      const pages = link.stream('ReadLog', request, { signal: alarm.signal });
      for await (const { entries } of pages) {
        alarm.stop();
        for (const entry of entries) {
          yield entryOf(entry);
          isCommitted = entry.committed;
          next = entry.index + 1;
          left--;
        }
        attempt = 0;
        untilMs = world.nowMs() + timeoutMs;
        setAlarm();
      }
      if (!follow) return;
      last = new DeltabaseError('UNAVAILABLE', 'the node ended the log');
    } catch (thrown) {
      last = mendable(alarm.explain(thrown));
      // Another leader may have put other entries behind those that were not committed.
      if (!isCommitted) throw last;
    } finally {
      alarm.close();
    }
    // A call that stood for a while was served, also if nothing was added to the log.
    const nowMs = world.nowMs();
    if (follow && nowMs - begunMs > limits.retryMsMax) untilMs = nowMs + timeoutMs;
  }
}

/** The endpoint of a node, reachable or not. Throws NODE_NOT_FOUND for one that nobody knows. */
export function endpointOf(topology: Topology, node: number): Endpoint {
  const endpoint = topology.endpointOf(node);
  if (endpoint !== undefined) return endpoint;
  throw new DeltabaseError(
    'NODE_NOT_FOUND',
    `there is no node ${node}: there are ${topology.nodes.join(', ')}`,
  );
}

function entryOf(entry: WireLogEntry): LogEntry {
  return { ...entry, records: entry.records.map(decodeRecord) };
}
