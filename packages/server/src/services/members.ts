// The part of ClusterService that changes the members, and lists them.

import type { Limits } from '@deltabase/base';
import type { Engine, Log, Member, MembersOrder, MembersReport } from '@deltabase/engine';
import type { ServerUnaryCall, UntypedServiceImplementation } from '@grpc/grpc-js';
import { isPlace } from '../config/members.js';
import { principalOf } from './principal.js';
import { expiryOf, invalid } from './requests.js';
import { type Answer, unary } from './unary.js';

export interface MembersHost {
  readonly engine: Engine;
  readonly limits: Limits;
  readonly log: Log;
  nowMs(): number;
}

/** The fields of a node that comes. */
interface NewMember {
  readonly node: number;
  readonly peerAddress: string;
  readonly clientAddress: string;
}

interface TransferLeaderRequest {
  readonly group: number;
  readonly node: number;
}

interface BegunResponse {
  readonly change: number;
}

type ChangeCall<Request> = (request: Request) => MembersOrder;

/** The handlers, by method. */
export function membersHandlers(host: MembersHost): UntypedServiceImplementation {
  const changing = <Request>(orderOf: ChangeCall<Request>) =>
    unary<Request, BegunResponse>(host.log, (call, answer) =>
      change(host, call, orderOf(call.request), answer),
    );
  return {
    ListMembers: unary<unknown, object>(host.log, (_call, answer) =>
      answer.done(listOf(host.engine)),
    ),
    AddMember: changing<NewMember & { readonly learner: boolean }>((request) => ({
      kind: 'add',
      member: memberOf(request),
      promote: !request.learner,
    })),
    PromoteMember: changing<{ readonly node: number }>(({ node }) => ({
      kind: 'promote',
      node: nodeOf('node', node),
    })),
    RemoveMember: changing<{ readonly node: number }>(({ node }) => ({
      kind: 'remove',
      node: nodeOf('node', node),
    })),
    ReplaceMember: changing<NewMember & { readonly oldNode: number }>((request) => ({
      kind: 'replace',
      old: nodeOf('old_node', request.oldNode),
      member: memberOf(request),
    })),
    TransferLeader: unary<TransferLeaderRequest, object>(host.log, (call, answer) =>
      transfer(host, call, answer),
    ),
  };
}

function change(
  host: MembersHost,
  call: ServerUnaryCall<unknown, unknown>,
  order: MembersOrder,
  answer: Answer<BegunResponse>,
): void {
  host.engine.changeMembers({ ...order, ...senderOf(host, call) }, (result) => {
    if (result.kind === 'failed') {
      answer.failed(result);
      return;
    }
    host.log.info('members-change', { kind: order.kind, change: result.number });
    answer.done({ change: result.number });
  });
}

function transfer(
  host: MembersHost,
  call: ServerUnaryCall<TransferLeaderRequest, object>,
  answer: Answer<object>,
): void {
  const { group, node } = call.request;
  const request = { group, node: node || undefined, ...senderOf(host, call) };
  host.engine.transfer(request, (result) => {
    if (result.kind === 'failed') answer.failed(result);
    else answer.done({ leader: result.lead });
  });
}

function senderOf({ nowMs, limits }: MembersHost, call: ServerUnaryCall<unknown, unknown>) {
  return {
    principal: principalOf(call),
    expiresMs: expiryOf(call.getDeadline(), nowMs(), limits),
  };
}

/** `ListMembersResponse`. */
function listOf(engine: Engine): object {
  const report = engine.members();
  const reachable = new Map(report.places.map((place) => [place.node, place.reachable]));
  return {
    cluster: engine.config.cluster,
    clusterId: report.clusterId,
    groups: report.groups,
    founders: report.founders,
    highestNode: report.highestNode,
    members: report.members.map(({ node, peerAddress, clientAddress, role, incarnation }) => ({
      node,
      peerAddress,
      clientAddress,
      role,
      reachable: reachable.get(node) ?? false,
      joined: incarnation !== undefined,
    })),
    change: changeOf(report),
    changes: report.changes,
    preferredLeaders: [...report.leaders].map(([group, node]) => ({ group, node })),
    recoveries: report.recoveries,
  };
}

function changeOf({ change: underWay, groups }: MembersReport): object | undefined {
  if (underWay === undefined) return undefined;
  const { number, kind, node, old, phase, groupsDone } = underWay;
  const progress = { groupsDone, groupsTotal: groups + 1 };
  return { number, kind, node, phase, ...progress, ...(old === undefined ? {} : { oldNode: old }) };
}

function memberOf({ node, peerAddress, clientAddress }: NewMember): Member {
  for (const [name, address] of [
    ['peer_address', peerAddress],
    ['client_address', clientAddress],
  ] as const) {
    if (isPlace(address)) continue;
    throw invalid(
      `${name} is no address that others can reach: use HOST:PORT, such as 10.0.0.4:7411`,
    );
  }
  return { node: nodeOf('node', node), peerAddress, clientAddress };
}

function nodeOf(name: string, node: number): number {
  if (node > 0) return node;
  throw invalid(`${name} is missing: give the id of a node`);
}
