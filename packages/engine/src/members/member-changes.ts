// What operators ask of the members, through any node: each becomes a message to the members document, whose answer
// says that the change has begun, or why not. A transfer also waits until the group is led by the node it should be.

import { assert, decodeUtf8, type Limits } from '@deltabase/base';
import type { Group } from '../groups/group.js';
import { OpenRequests } from '../open-requests.js';
import type { NodeId } from '../ports.js';
import { type Failure, failure, overloaded, type Result } from '../results.js';
import type { SenderOptions, SystemSenders } from '../system/system-sender.js';
import { type Task, wait } from '../task.js';
import type { Tasks } from '../tasks.js';
import type { Member } from './member.js';
import { MEMBERS_KEY } from './members-state.js';

export type MembersRequest = SenderOptions & MembersOrder;

/** What an operator wants. */
export type MembersOrder =
  | { readonly kind: 'add'; readonly member: Member; readonly promote: boolean }
  | { readonly kind: 'promote'; readonly node: NodeId }
  | { readonly kind: 'remove'; readonly node: NodeId }
  | { readonly kind: 'replace'; readonly old: NodeId; readonly member: Member };

/** The change has begun; `number` names it. */
export type MembersResult = { readonly kind: 'begun'; readonly number: number } | Failure;

export interface TransferRequest extends SenderOptions {
  readonly group: number;
  /** Who is to lead it from now on; `undefined`: whoever the balancer chooses. */
  readonly node: NodeId | undefined;
}

export type TransferResult = { readonly kind: 'transferred'; readonly lead: NodeId } | Failure;

export interface MemberChangesHost {
  groups(): readonly Group[];
  readonly limits: Limits;
  readonly tasks: Tasks;
  readonly senders: SystemSenders;
  nowMs(): number;
  /** Whether this node has the members document: a new cluster has none in its first moments. */
  isKnown(): boolean;
}

/** Somebody who waits for the members document. */
interface Waiter {
  readonly expiresMs: number;
  readonly done: (is: boolean) => void;
}

interface Transfer {
  readonly group: Group;
  readonly node: NodeId;
  readonly expiresMs: number;
  readonly done: (is: boolean) => void;
  askedMs: number;
}

/** A request to hand a group over may get lost, or come at a bad time: it is made again. */
const ASK_AGAIN_MS = 1000;
const REQUESTS_MAX = 64;

export class MemberChanges {
  readonly #host: MemberChangesHost;
  readonly #open = new OpenRequests();
  #transfers: Transfer[] = [];
  #waiters: Waiter[] = [];

  constructor(host: MemberChangesHost) {
    this.#host = host;
  }

  change(request: MembersRequest, answer: (result: MembersResult) => void): void {
    if (this.#isFull) answer(tooMany());
    else this.#host.tasks.run(this.#change(request), this.#open.add(answer));
  }

  transfer(request: TransferRequest, answer: (result: TransferResult) => void): void {
    const groups = this.#host.groups();
    if (groups[request.group] === undefined) answer(noSuchGroup(request.group, groups.length - 1));
    else if (this.#isFull) answer(tooMany());
    else this.#host.tasks.run(this.#transfer(request), this.#open.add(answer));
  }

  tick(nowMs: number): void {
    this.#settleWaiters(nowMs);
    const transfers = this.#transfers;
    this.#transfers = [];
    for (const transfer of transfers) {
      const { group, node, done } = transfer;
      if (group.lead === node) done(true);
      else if (transfer.expiresMs <= nowMs) done(false);
      else this.#ask(transfer, nowMs);
    }
  }

  close(why: Failure): void {
    this.#open.close(why);
    this.#transfers = [];
    this.#waiters = [];
  }

  get #isFull(): boolean {
    return this.#open.count >= REQUESTS_MAX;
  }

  *#change(request: MembersRequest): Task<MembersResult> {
    const result = yield* this.#send(request, request.kind, payloadOf(request));
    return result.kind === 'failed' ? result : { kind: 'begun', number: numberIn(result) };
  }

  *#transfer(request: TransferRequest): Task<TransferResult> {
    const { group: id, node, expiresMs } = request;
    const group = this.#host.groups()[id]!;
    // The balancer must not undo it.
    const payload = { group: id, node: node ?? null };
    const result = yield* this.#send(request, 'prefer', payload);
    if (result.kind === 'failed') return result;
    if (node === undefined) return { kind: 'transferred', lead: group.lead };
    const isLed = yield* wait<boolean>((done) =>
      this.#ask({ group, node, expiresMs, done, askedMs: -Infinity }, this.#host.nowMs()),
    );
    return isLed ? { kind: 'transferred', lead: node } : late(id, node);
  }

  *#send(options: SenderOptions, channel: string, payload: object): Task<Result> {
    if (!this.#host.isKnown()) {
      const { expiresMs } = options;
      const isKnown = yield* wait<boolean>((done) => void this.#waiters.push({ expiresMs, done }));
      if (!isKnown) return unknown();
    }
    return yield* this.#host.senders.make(options).send(MEMBERS_KEY, channel, payload);
  }

  #settleWaiters(nowMs: number): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) {
      if (this.#host.isKnown()) waiter.done(true);
      else if (waiter.expiresMs <= nowMs) waiter.done(false);
      else this.#waiters.push(waiter);
    }
  }

  #ask(transfer: Transfer, nowMs: number): void {
    this.#transfers.push(transfer);
    const { group, node, askedMs } = transfer;
    if (group.lead === node || nowMs - askedMs < ASK_AGAIN_MS) return;
    transfer.askedMs = nowMs;
    group.transferTo(node);
  }
}

function payloadOf(order: MembersOrder): object {
  if (order.kind === 'promote' || order.kind === 'remove') return { node: order.node };
  const { node, peerAddress: peer, clientAddress: client } = order.member;
  const member = { node, peer, client };
  return order.kind === 'add'
    ? { ...member, promote: order.promote }
    : { ...member, old: order.old };
}

function numberIn(result: Result): number {
  assert(result.kind === 'accepted' && result.reply !== undefined, 'a change has a reply');
  return JSON.parse(decodeUtf8(result.reply)!).number;
}

function tooMany(): Failure {
  return overloaded('too many changes of members are asked for here: make one after the other');
}

function unknown(): Failure {
  return failure(
    'UNAVAILABLE',
    'this node does not know the members yet: it has just begun, or has no leader to hear',
  );
}

function noSuchGroup(group: number, last: number): Failure {
  return failure('INVALID_ARGUMENT', `there is no group ${group}: groups are 0 to ${last}`);
}

function late(group: number, node: NodeId): Failure {
  return failure(
    'DEADLINE_EXCEEDED',
    `node ${node} has not taken group ${group} over yet; it will when it can be reached and has caught up: see deltabase status`,
  );
}
