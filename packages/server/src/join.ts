// How a node without data becomes one of a cluster: it asks nodes that it was told of for the members, until it is one
// of them, and begins with what they know of the cluster.

import { setTimeout as sleep } from 'node:timers/promises';
import { DeltabaseError } from '@deltabase/base';
import {
  expulsionText,
  type JoinTicket,
  type Log,
  type Member,
  type NodeRow,
} from '@deltabase/engine';
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import type { ServerConfig } from './config/server-config.js';
import { loadProtos } from './services/protos.js';

/** What a node that joins begins with. */
export interface JoinedCluster {
  readonly join: JoinTicket;
  readonly members: readonly Member[];
  readonly groups: number;
}

/** The fields of `ListMembersResponse` that matter here. */
export interface Listed {
  readonly cluster: string;
  readonly clusterId: string;
  readonly groups: number;
  readonly founders: readonly number[];
  readonly highestNode: number;
  readonly members: readonly (Member & { readonly joined: boolean })[];
}

export interface AwaitOptions {
  readonly log: Log;
  /** Gives up. */
  readonly signal: AbortSignal;
  /** Resolves when it is time to ask again, or to give up. */
  readonly pause?: (signal: AbortSignal) => Promise<void>;
}

const ASK_AGAIN_MS = 500;
const ANSWER_MS = 3000;

/**
 * Waits until the node is a member. Throws INVALID_ARGUMENT where the addresses are of another cluster, NODE_REMOVED
 * for an id that was used before, CANCELLED once `signal` is aborted.
 */
export async function awaitMembership(
  config: ServerConfig,
  { log, signal, pause = pauseBetween }: AwaitOptions,
): Promise<JoinedCluster> {
  const { join } = config;
  /** What the log has of each address. */
  const said = new Map<string, string>();
  for (let attempt = 0; ; attempt++) {
    if (signal.aborted) throw new DeltabaseError('CANCELLED', 'stopped before it had joined');
    const address = join[attempt % join.length]!;
    const listed = await listMembers(address);
    const found = typeof listed === 'string' ? listed : judge(listed, config, address);
    if (typeof found !== 'string') return found;
    if (found !== said.get(address)) log.warn('waits-to-join', { reason: found });
    said.set(address, found);
    await pause(signal);
  }
}

/**
 * A node whose data make it a cluster of its own, because it was once started without `--join`, would go on as that and
 * never join, with nobody noticing. Throws NODE_MISMATCH. Where other data say whose they are, `--join` says nothing.
 */
export async function refuseToBeAlone(config: ServerConfig, row: NodeRow): Promise<void> {
  const isAlone = row.members.length === 1 && row.founders.includes(row.node);
  if (!isAlone || row.node !== config.node || row.clusterId === '') return;
  const answers = await Promise.all(config.join.map(listMembers));
  const at = answers.findIndex((listed) => isOther(listed, row));
  if (at < 0) return;
  throw new DeltabaseError(
    'NODE_MISMATCH',
    `the data in ${config.dataDir} are of a cluster of its own, which node ${row.node} once began, not of the one at ` +
      `${config.join[at]}: name an empty data directory to join that, or leave --join out to go on alone`,
  );
}

function isOther(listed: Listed | string, { clusterId }: NodeRow): boolean {
  if (typeof listed === 'string' || listed.clusterId === '') return false;
  return listed.clusterId !== clusterId;
}

/** What the node begins with, or what it waits for. */
export function judge(
  listed: Listed,
  config: Pick<ServerConfig, 'cluster' | 'node' | 'groups'>,
  address: string,
): JoinedCluster | string {
  const { cluster, node } = config;
  if (listed.cluster !== cluster) {
    throw new DeltabaseError(
      'INVALID_ARGUMENT',
      `the node at ${address} is of cluster ${listed.cluster}, this one is to join ${cluster}: check --join and --cluster`,
    );
  }
  const { clusterId, founders, groups } = listed;
  if (config.groups !== undefined && config.groups !== groups) {
    throw new DeltabaseError(
      'INVALID_ARGUMENT',
      `the cluster has ${groups} groups, not ${config.groups}: leave --groups out`,
    );
  }
  if (clusterId === '' || listed.members.length === 0)
    return `${address} does not know the members yet`;
  const self = listed.members.find((member) => member.node === node);
  if (self === undefined) {
    if (node <= listed.highestNode) throw expelled(expulsionText(node, 'removed'));
    return `${address} knows no node ${node}: add it with deltabase cluster add ${node}=PEER/CLIENT`;
  }
  if (self.joined) throw expelled(expulsionText(node, 'lost'));
  const members = listed.members.map(({ node: id, peerAddress, clientAddress }) => {
    return { node: id, peerAddress, clientAddress };
  });
  return { join: { clusterId, founders }, members, groups };
}

async function pauseBetween(signal: AbortSignal): Promise<void> {
  // Whoever gives up meanwhile is seen by the signal.
  await sleep(ASK_AGAIN_MS, undefined, { signal }).catch(() => {});
}

/** What the node at `address` answers, or why it does not. */
function listMembers(address: string): Promise<Listed | string> {
  const method = loadProtos().cluster['ListMembers']!;
  const client = new Client(address, credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_http_proxy': 0,
  });
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize as (bytes: Buffer) => Listed,
      {},
      { deadline: Date.now() + ANSWER_MS },
      (error: ServiceError | null, response?: Listed) => {
        client.close();
        resolve(response ?? `${address} does not answer (${error?.details ?? 'nothing came'})`);
      },
    );
  });
}

function expelled(message: string): DeltabaseError {
  return new DeltabaseError('NODE_REMOVED', message);
}
