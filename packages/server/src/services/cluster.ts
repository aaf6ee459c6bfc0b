// ClusterService: what this node sees of the cluster, and the logs of its groups.

import type { Limits } from '@deltabase/base';
import type {
  Engine,
  EngineCounters,
  GroupStatus,
  HotDocument,
  Log,
  NodeId,
} from '@deltabase/engine';
import type { ServerWritableStream, UntypedServiceImplementation } from '@grpc/grpc-js';
import type { ByteCounts } from './byte-counts.js';
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

/** Documents that `ListHot` gives if it is not told how many, and at most. */
const HOT_DEFAULT = 100;
const HOT_MAX = 1000;

/** The handlers, by method. */
export function clusterHandlers(host: ClusterHost): UntypedServiceImplementation {
  return {
    GetStatus: unary<unknown, object>(host.log, (_call, answer) => answer.done(statusOf(host))),
    ListHot: unary<{ readonly limit: number }, object>(host.log, (call, answer) =>
      answer.done(hotOf(host, call.request.limit)),
    ),
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

/** `ListHotResponse`. */
function hotOf({ engine }: ClusterHost, limit: number): object {
  const documents = engine.hottest(Math.min(limit || HOT_DEFAULT, HOT_MAX));
  return {
    node: engine.config.node,
    documents: documents.map((document) => heatOf(document, engine)),
  };
}

function heatOf(document: HotDocument, engine: Engine): object {
  const { space, key } = document;
  return { leader: engine.leaderOf(space, key), ...document };
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
