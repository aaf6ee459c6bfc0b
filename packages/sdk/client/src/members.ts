// The members of the cluster as callers see them: list, add, promote, remove, replace; who leads a group; and how far
// a change is.

import { DeltabaseError } from '@deltabase/base';
import type { ClientLimits } from './limits.js';
import { type CallOptions, timeoutOf } from './options.js';
import type { Attempts, Try } from './reading/attempts.js';
import type {
  WireMemberChange,
  WireMemberList,
  WireNewMember,
  WireRecovery,
} from './transport/wire.js';
import type { World } from './world.js';

/** The members as the node that was asked knows them. */
export type MemberList = WireMemberList;

/** A change that is under way. */
export type MemberChange = WireMemberChange;

/** A time that the cluster lost its quorum, and went on from what was left. */
export type Recovery = WireRecovery;

/** A node that comes: its id, where other nodes reach it, and where clients do. */
export type NewMember = WireNewMember;

export interface AddMemberOptions extends CallOptions {
  /** It stays a learner until it is promoted. */
  readonly learner?: boolean;
}

export interface ChangeOptions extends CallOptions {
  /** Told how far the change is, whenever that has changed. */
  readonly progress?: (change: MemberChange) => void;
}

export interface MembersHost {
  readonly world: World;
  readonly limits: ClientLimits;
  readonly attempts: Attempts;
}

/** How often a node is asked how far a change is, ms. */
const ASK_AGAIN_MS = 200;

/** `Client.members`. Each change resolves with its number when it has begun; `done` waits for its end. */
export class Members {
  readonly #host: MembersHost;

  constructor(host: MembersHost) {
    this.#host = host;
  }

  list(options: CallOptions = {}): Promise<MemberList> {
    const { signal } = options;
    return this.#run(options, (link, timeoutMs) =>
      link.call('ListMembers', {}, { timeoutMs, signal }),
    );
  }

  /** Adds a node: as a learner of every group first, and as a voter once it has caught up. */
  async add(member: NewMember, options: AddMemberOptions = {}): Promise<number> {
    const { learner = false, signal } = options;
    const request = { ...member, learner };
    const { change } = await this.#run(options, (link, timeoutMs) =>
      link.call('AddMember', request, { timeoutMs, signal }),
    );
    return change;
  }

  /** Makes a learner a voter, or undoes a removal. Rejects with MEMBERS_REFUSED while the node has not caught up. */
  async promote(node: number, options: CallOptions = {}): Promise<number> {
    const { signal } = options;
    const { change } = await this.#run(options, (link, timeoutMs) =>
      link.call('PromoteMember', { node }, { timeoutMs, signal }),
    );
    return change;
  }

  /** Removes a node for ever, or undoes an addition or a replacement by it. Rejects with MEMBERS_REFUSED if that is not safe. */
  async remove(node: number, options: CallOptions = {}): Promise<number> {
    const { signal } = options;
    const { change } = await this.#run(options, (link, timeoutMs) =>
      link.call('RemoveMember', { node }, { timeoutMs, signal }),
    );
    return change;
  }

  /** Adds a node and, once it has caught up, puts it in the place of `oldNode`. */
  async replace(oldNode: number, member: NewMember, options: CallOptions = {}): Promise<number> {
    const { signal } = options;
    const request = { ...member, oldNode };
    const { change } = await this.#run(options, (link, timeoutMs) =>
      link.call('ReplaceMember', request, { timeoutMs, signal }),
    );
    return change;
  }

  /**
   * Has a node lead a group, from now on while it can; without one, whoever the cluster chooses. Resolves with who leads
   * it then, 0 if nobody is known to.
   */
  async transfer(
    group: number,
    node: number | undefined,
    options: CallOptions = {},
  ): Promise<number> {
    const { signal } = options;
    const request = { group, node: node ?? 0 };
    const { leader } = await this.#run(options, (link, timeoutMs) =>
      link.call('TransferLeader', request, { timeoutMs, signal }),
    );
    return leader;
  }

  /**
   * Waits until a change is through. Rejects with MEMBERS_REFUSED if another one has undone it, and with
   * DEADLINE_EXCEEDED if it takes longer than that: then it goes on all the same.
   */
  async done(change: number, options: ChangeOptions = {}): Promise<MemberList> {
    const { world, limits, attempts } = this.#host;
    const { progress, signal } = options;
    const untilMs = world.nowMs() + timeoutOf(options, limits);
    let told = '';
    let last: MemberList | undefined;
    for (;;) {
      const deadlineMs = Math.max(1, untilMs - world.nowMs());
      const list = await this.list({ deadlineMs, ...(signal && { signal }) }).catch(
        (thrown: unknown) => {
          throw lateOr(thrown, last);
        },
      );
      last = list;
      const underWay = list.change ?? undefined;
      if (list.changes > change) throw undone(change, list);
      if (underWay === undefined && list.changes === change) return list;
      if (underWay !== undefined && JSON.stringify(underWay) !== told) {
        told = JSON.stringify(underWay);
        progress?.(underWay);
      }
      const leftMs = untilMs - world.nowMs();
      if (leftMs <= 0) throw late(list);
      await attempts.changed(Math.min(ASK_AGAIN_MS, leftMs), signal);
    }
  }

  #run<T>(options: CallOptions, once: Try<T>): Promise<T> {
    const timeoutMs = timeoutOf(options, this.#host.limits);
    return this.#host.attempts.run({ timeoutMs, signal: options.signal }, {}, once);
  }
}

function undone(change: number, { changes }: MemberList): DeltabaseError {
  return new DeltabaseError(
    'MEMBERS_REFUSED',
    `change ${change} was followed by change ${changes}, which may have undone it: look at the members`,
  );
}

/** Time that is over in the middle of a question: what was heard last says more of it. */
function lateOr(thrown: unknown, last: MemberList | undefined): unknown {
  const isLate = thrown instanceof DeltabaseError && thrown.code === 'DEADLINE_EXCEEDED';
  return isLate && last !== undefined ? late(last) : thrown;
}

function late(list: MemberList): DeltabaseError {
  const change = list.change ?? undefined;
  const far = change && `: ${change.phase}, ${change.groupsDone} of ${change.groupsTotal} groups`;
  const why = change === undefined ? undefined : missingFor(change, list);
  return new DeltabaseError(
    'DEADLINE_EXCEEDED',
    `the change is not through yet${far ?? ''}; ${why ?? 'it goes on by itself: look at the members'}`,
  );
}

/** Why a change waits, if it is for the node that comes. */
function missingFor({ node, kind }: MemberChange, { members }: MemberList): string | undefined {
  const comer = kind === 'remove' ? undefined : members.find((member) => member.node === node);
  if (comer === undefined || (comer.joined && comer.reachable)) return undefined;
  const what = comer.joined ? 'cannot be reached' : 'was not heard of yet';
  return (
    `node ${node} ${what}: see that it runs (started with its id and --join) and that others reach it at ` +
    `${comer.peerAddress}, or undo the change with deltabase cluster remove ${node}`
  );
}
