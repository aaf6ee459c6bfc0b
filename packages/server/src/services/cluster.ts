// ClusterService: what this node sees of the cluster, and the logs of its groups.

import type { Limits } from '@deltabase/base';
import type { Engine, EngineCounters, GroupStatus, Log, NodeId } from '@deltabase/engine';
import type { ServerWritableStream, UntypedServiceImplementation } from '@grpc/grpc-js';
import type { ByteCounts } from './byte-counts.js';
import { type HotSource, listHot } from './list-hot.js';
import { LogReader } from './log-reader.js';
import { membersHandlers } from './members.js';
import type { PageStreams } from './page-stream.js';
import { checkCount, invalid } from './requests.js';
import { statusOfThrown } from './status.js';
import { unary } from './unary.js';

export interface ClusterHost {
  readonly engine: Engine;
  readonly pages: PageStreams;
  readonly limits: Limits;
  readonly version: string;
  readonly bytes: Readonly<ByteCounts>;
  readonly log: Log;
  nowMs(): number;
}

interface ReadLogRequest {
  readonly group: number;
  readonly fromIndex: number;
  readonly limit: number;
  readonly follow: boolean;
}

/** The handlers, by method. */
export function clusterHandlers(host: ClusterHost): UntypedServiceImplementation {
  return {
    GetStatus: unary<unknown, object>(host.log, (_call, answer) => answer.done(statusOf(host))),
    ListHot: listHot(host.log, hotSourceOf(host.engine)),
    ReadLog: (call: ServerWritableStream<ReadLogRequest, Buffer>) => readLog(host, call),
    ...membersHandlers(host),
  };
}

/** `GetStatusResponse`. */
function statusOf({ engine, version, bytes }: ClusterHost): object {
  const status = engine.status();
  const { places, recoveries } = engine.members();
  return {
    cluster: status.cluster,
    node: status.node,
    version,
    uptimeMs: Math.round(status.uptimeMs),
    draining: status.draining,
    diskStalled: status.diskStalled,
    diskLow: status.diskLow,
    members: places.map(({ node, clientAddress, peerAddress, reachable }) => ({
      node,
      address: clientAddress,
      reachable,
      peerAddress,
    })),
    groups: status.groups.map((group) => groupOf(group, status.node)),
    replicas: status.replicas,
    counters: countersOf(status.counters, bytes),
    recoveries,
  };
}

function groupOf(group: GroupStatus, self: NodeId): object {
  return {
    group: group.group,
    role: roleOf(group, self),
    leader: group.lead,
    term: group.term,
    firstIndex: group.firstIndex,
    lastIndex: group.lastIndex,
    commitIndex: group.commit,
    appliedIndex: group.applied,
    flushedIndex: group.flushedIndex,
    voters: group.conf.voters,
    progress: group.progress.map((peer) => ({
      node: peer.id,
      matchIndex: peer.match,
      nextIndex: peer.next,
      state: peer.state,
      active: peer.recentActive,
      damaged: peer.damaged,
    })),
    queuedMessages: group.queued,
    damaged: group.damaged,
    learners: group.conf.learners,
    asleep: group.asleep,
  };
}

function roleOf({ role, conf }: GroupStatus, self: NodeId): string {
  if (conf.learners.includes(self)) return 'learner';
  return role === 'preCandidate' ? 'pre-candidate' : role;
}

function countersOf(counters: EngineCounters, bytes: Readonly<ByteCounts>): object {
  return { ...counters, ...bytes, processBytes: process.memoryUsage.rss() };
}

function hotSourceOf(engine: Engine): HotSource {
  return {
    node: engine.config.node,
    replica: '',
    hottest: (count) => engine.hottest(count),
    leaderOf: (space, key) => engine.leaderOf(space, key),
  };
}

function readLog(host: ClusterHost, call: ServerWritableStream<ReadLogRequest, Buffer>): void {
  const { group, fromIndex, limit, follow } = call.request;
  try {
    checkCount('from_index', fromIndex);
    checkCount('limit', limit);
    const last = host.engine.config.groups;
    if (group > last) throw invalid(`there is no group ${group}: groups are 0 to ${last}`);
  } catch (thrown) {
    call.emit('error', statusOfThrown(thrown, host.log));
    return;
  }
  const request = { group, fromIndex, limit: limit || Infinity, follow };
  host.pages.begin(call, new LogReader(host.engine, request));
}
