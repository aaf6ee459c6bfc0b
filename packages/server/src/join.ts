// How a node without data becomes one of a cluster: it asks nodes that it was told of for the members, until it is one
// of them, and begins with what they know of the cluster.

import { setTimeout as sleep } from 'node:timers/promises';
import { DeltabaseError } from '@deltabase/base';
import { expulsionText, type JoinTicket, type Log, type Member } from '@deltabase/engine';
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
interface Listed {
  readonly cluster: string;
  readonly clusterId: string;
  readonly groups: number;
  readonly founders: readonly number[];
  readonly highestNode: number;
  readonly members: readonly (Member & { readonly joined: boolean })[];
}

const ASK_AGAIN_MS = 500;
const ANSWER_MS = 3000;

/**
 * Waits until the node is a member. Throws INVALID_ARGUMENT where the addresses are of another cluster, NODE_REMOVED
 * for an id that was used before, CANCELLED once `signal` is aborted.
 */
export async function awaitMembership(
  config: ServerConfig,
  { log, signal }: { readonly log: Log; readonly signal: AbortSignal },
): Promise<JoinedCluster> {
  const { node, join } = config;
  let said = '';
  for (let attempt = 0; ; attempt++) {
    if (signal.aborted) throw new DeltabaseError('CANCELLED', 'stopped before it had joined');
    const address = join[attempt % join.length]!;
    const listed = await listMembers(address);
    const found = typeof listed === 'string' ? listed : judge(listed, config, address);
    if (typeof found !== 'string') return found;
    if (found !== said) log.warn('waits-to-join', { node, reason: found });
    said = found;
    await sleep(ASK_AGAIN_MS, undefined, { signal }).catch(() => {});
  }
}

/** What the node begins with, or what it waits for. */
function judge(listed: Listed, config: ServerConfig, address: string): JoinedCluster | string {
  const { cluster, node } = config;
  if (listed.cluster !== cluster) {
    throw new DeltabaseError(
      'INVALID_ARGUMENT',
      `the node at ${address} is of cluster ${listed.cluster}, this one is to join ${cluster}: check --join and --cluster`,
    );
  }
  const { clusterId, founders, groups } = listed;
  if (clusterId === '' || listed.members.length === 0)
    return `${address} does not know the members yet`;
  const self = listed.members.find((member) => member.node === node);
  if (self === undefined) {
    if (node <= listed.highestNode) throw expelled(expulsionText(node, 'removed'));
    return `node ${node} is not a member: add it with deltabase cluster add ${node}=PEER/CLIENT`;
  }
  if (self.joined) throw expelled(expulsionText(node, 'lost'));
  const members = listed.members.map(({ node: id, peerAddress, clientAddress }) => {
    return { node: id, peerAddress, clientAddress };
  });
  return { join: { clusterId, founders }, members, groups };
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
