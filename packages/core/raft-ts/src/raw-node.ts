// One replica of one group, as its host drives it: feed it ticks, proposals and messages; do what `ready`
// asks; say when it is done. Nothing here waits, reads a clock or draws a number of its own
// (SameCallsSameResults).

import { assert } from './assert.js';
import { type ConfChange, encodeConfChange } from './conf-change.js';
import { type Config, completeConfig } from './config.js';
import { campaign } from './elections.js';
import { Handover } from './handover.js';
import { reportSnapshot, reportUnreachable } from './leading.js';
import { applyConfChange } from './membership.js';
import type { Message } from './message.js';
import { propose, refusal } from './proposals.js';
import { requestRead } from './reads.js';
import type { AppendWork, ApplyWork, Ready } from './ready.js';
import { Replica } from './replica.js';
import { type BasicStatus, basicStatus, type Status, status } from './status.js';
import { step } from './step.js';
import { tick } from './tick.js';
import { resign, transferLeader } from './transfer.js';
import { type ConfState, NONE, type NodeId } from './types.js';

export class RawNode {
  readonly #replica: Replica;
  readonly #handover: Handover;

  /** Restores the replica from its storage. Throws RaftError ConfigInvalid or StorageInvalid. */
  constructor(config: Config) {
    this.#replica = new Replica(completeConfig(config));
    this.#handover = new Handover(this.#replica);
  }

  /** One tick has passed. */
  tick(): void {
    tick(this.#replica);
  }

  /** Begins an election now, if this replica may win one and no lease binds it. */
  campaign(): void {
    campaign(this.#replica, 'timeout');
  }

  /**
   * Proposes entries, all or none of them. A leader appends them; a follower passes them on and never learns
   * what becomes of them. Entries without data say nothing to the host. Throws RaftError ProposalDropped if
   * they were certainly not taken.
   */
  propose(...data: readonly Uint8Array[]): void {
    assert(data.length > 0, 'a proposal has an entry');
    propose(
      this.#replica,
      data.map((bytes) => ({ type: 'normal', data: bytes })),
    );
  }

  /** Whether this replica leads and would take `bytes` of data now. */
  canPropose(bytes: number): boolean {
    return this.#replica.role === 'leader' && refusal(this.#replica, bytes) === undefined;
  }

  /**
   * Proposes a configuration change; one that comes too early or cannot be made is committed as an empty
   * entry. Throws RaftError ProposalDropped, or ConfChangeInvalid for a node id that is none.
   */
  proposeConfChange(change: ConfChange): void {
    propose(this.#replica, [{ type: 'confChange', data: encodeConfChange(change) }]);
  }

  /**
   * Applies a committed change, while its entry is being applied. Returns the configuration, which the host
   * makes durable with its applied index. Throws RaftError ConfChangeInvalid for a change that does not fit
   * the configuration, on every replica alike: the configuration stays as it was.
   */
  applyConfChange(change: ConfChange): ConfState {
    return applyConfChange(this.#replica, change);
  }

  /** Takes a message that another replica has sent to this one. */
  step(message: Message): void {
    assert(message.to === this.#replica.id, 'a message goes to this replica');
    assert(message.from !== this.#replica.id, 'a message comes from another replica');
    step(this.#replica, message);
  }

  /** Moves the leadership to `transferee`, if it is a voter; proposals are refused meanwhile. */
  transferLeader(transferee: NodeId): void {
    transferLeader(this.#replica, transferee);
  }

  /**
   * Whether this replica is not to lead: it does not campaign, whoever asks for it. A leader goes on until
   * another one takes over or it resigns.
   */
  setAbstains(is: boolean): void {
    this.#replica.abstains = is;
  }

  /**
   * Gives the leadership up at once, in favour of the most up-to-date voter if one is heard of: for a host that
   * cannot make anything durable (pitfall 22). What is not committed may still be, or not.
   */
  resign(): void {
    resign(this.#replica);
  }

  /**
   * Makes a follower forget who leads, so that it votes for others at once: for a host that knows the leader
   * to be dead. Ignored with lease reads, which rest on that memory.
   */
  forgetLeader(): void {
    const replica = this.#replica;
    if (replica.role === 'follower' && replica.config.readOnly === 'safe') replica.lead = NONE;
  }

  /**
   * Waits for a whole election timeout, drawn anew, before it campaigns, and gives up a campaign under way: for a host
   * that knows that nobody could be elected until now. Does nothing while a leader is known.
   */
  awaitElection(): void {
    const replica = this.#replica;
    if (replica.lead === NONE) replica.becomeFollower(replica.term, NONE);
  }

  /**
   * Asks for an index to read at, which comes as a ReadState with this `context`. It may never come (no
   * leader, lost messages): ask again with another context after a while.
   */
  readIndex(context: Uint8Array): void {
    requestRead(this.#replica, context);
  }

  /** The last message to `id` could not be delivered. Throws RaftError PeerNotFound. */
  reportUnreachable(id: NodeId): void {
    reportUnreachable(this.#replica, id);
  }

  /**
   * The snapshot sent to `id` was delivered or lost. Nothing else is sent to it before either is reported or
   * its acknowledgement comes. Throws RaftError PeerNotFound.
   */
  reportSnapshot(id: NodeId, delivered: boolean): void {
    reportSnapshot(this.#replica, id, delivered);
  }

  /** Whether `ready` has anything. Cheap. */
  hasReady(): boolean {
    return this.#handover.hasReady();
  }

  /**
   * Hands out what there is to do. Without asynchronous writes, `advance` must follow before the next call.
   */
  ready(): Ready {
    return this.#handover.ready();
  }

  /** All of the last Ready is done. Not with asynchronous storage writes. */
  advance(): void {
    this.#handover.advance();
  }

  /**
   * `work` is on stable storage, and all that was handed out before it; each work is acknowledged, in order.
   * Returns the messages that may leave now. Only with asynchronous storage writes.
   */
  acknowledgeAppend(work: AppendWork): readonly Message[] {
    return this.#handover.acknowledgeAppend(work);
  }

  /** `work` has been applied; each work is acknowledged, in order. Only with asynchronous storage writes. */
  acknowledgeApply(work: ApplyWork): void {
    this.#handover.acknowledgeApply(work);
  }

  /** Cheap enough for every turn. */
  basicStatus(): BasicStatus {
    return basicStatus(this.#replica);
  }

  status(): Status {
    return status(this.#replica);
  }

  /** Whether this replica leads and has committed an entry of its term: it knows all that is committed. */
  get leadsWithCommit(): boolean {
    return this.#replica.role === 'leader' && this.#replica.committedInTerm;
  }
}
