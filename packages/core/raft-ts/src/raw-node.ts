// One replica of one group, as its host drives it: feed it ticks, proposals and messages; do what `ready`
// asks; say when it is done. Nothing here waits, reads a clock or draws a number of its own.

import { assert } from './assert.js';
import { type ConfChange, encodeConfChange } from './conf-change.js';
import { type Config, completeConfig, type FullConfig } from './config.js';
import { campaign } from './elections.js';
import { reportSnapshot, reportUnreachable } from './leading.js';
import { applyConfChange, maybeLeaveJoint } from './membership.js';
import type { Message } from './message.js';
import { propose, refusal, releaseBytes } from './proposals.js';
import { releasePostponedReads, requestRead } from './reads.js';
import type { AppendWork, ApplyWork, Ready } from './ready.js';
import { Replica } from './replica.js';
import { type BasicStatus, basicStatus, type Status, status } from './status.js';
import { step } from './step.js';
import { tick } from './tick.js';
import { transferLeader } from './transfer.js';
import {
  type ConfState,
  type Entry,
  entriesBytes,
  type HardState,
  NONE,
  type NodeId,
  type SoftState,
} from './types.js';

export class RawNode {
  readonly #replica: Replica;
  readonly #config: FullConfig;
  #softState: SoftState;
  #hardState: HardState;
  #unacknowledged: Ready | undefined;

  /** Restores the replica from its storage. Throws RaftError ConfigInvalid. */
  constructor(config: Config) {
    this.#config = completeConfig(config);
    this.#replica = new Replica(this.#config);
    this.#softState = { lead: this.#replica.lead, role: this.#replica.role };
    this.#hardState = this.#replica.hardState;
  }

  /** One tick has passed. */
  tick(): void {
    tick(this.#replica);
  }

  /** Begins an election now, if this replica may win one. */
  campaign(): void {
    campaign(this.#replica, 'timeout');
  }

  /**
   * Proposes entries, all or none of them. A leader appends them; a follower passes them on and never learns
   * what becomes of them. Throws RaftError ProposalDropped if they were certainly not taken.
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

  /** Proposes a configuration change; one that comes too early is committed as an empty entry. */
  proposeConfChange(change: ConfChange): void {
    propose(this.#replica, [{ type: 'confChange', data: encodeConfChange(change) }]);
  }

  /**
   * Applies a committed change, while its entry is being applied. Returns the configuration, which the host
   * makes durable with its applied index. Throws RaftError ConfChangeInvalid.
   */
  applyConfChange(change: ConfChange): ConfState {
    return applyConfChange(this.#replica, change);
  }

  /** Takes a message from another replica. */
  step(message: Message): void {
    assert(message.from !== this.#replica.id, 'a message comes from another replica');
    step(this.#replica, message);
  }

  /** Moves the leadership to `transferee`, if it is a voter; proposals are refused meanwhile. */
  transferLeader(transferee: NodeId): void {
    transferLeader(this.#replica, transferee);
  }

  /**
   * Makes a follower forget who leads, so that it votes for others at once: for a host that knows the leader
   * to be dead. Ignored with lease reads, which rest on that memory.
   */
  forgetLeader(): void {
    const replica = this.#replica;
    if (replica.role === 'follower' && this.#config.readOnly === 'safe') replica.lead = NONE;
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

  /** The snapshot sent to `id` was delivered or lost. Throws RaftError PeerNotFound. */
  reportSnapshot(id: NodeId, delivered: boolean): void {
    reportSnapshot(this.#replica, id, delivered);
  }

  /** Whether `ready` has anything. Cheap. */
  hasReady(): boolean {
    const replica = this.#replica;
    const { unstable } = replica.log;
    return (
      replica.messages.length > 0 ||
      replica.responses.length > 0 ||
      replica.readStates.length > 0 ||
      unstable.hasNextEntries ||
      unstable.hasNextSnapshot ||
      replica.log.hasNextCommitted(this.#config.asyncStorageWrites) ||
      this.#softStateChanged() ||
      this.#hardStateChanged()
    );
  }

  /**
   * Hands out what there is to do. Without asynchronous writes, `advance` must follow before the next call.
   */
  ready(): Ready {
    assert(this.#unacknowledged === undefined, 'advance comes before the next ready');
    const replica = this.#replica;
    const append = this.#takeAppend();
    const apply = this.#takeApply();
    const { messages, readStates } = replica;
    replica.messages = [];
    replica.readStates = [];
    const ready: Ready = {
      softState: this.#takeSoftState(),
      readStates,
      messages: this.#config.asyncStorageWrites ? messages : withResponses(messages, append),
      append,
      apply,
    };
    if (!this.#config.asyncStorageWrites) this.#unacknowledged = ready;
    return ready;
  }

  /** All of the last Ready is done. Not with asynchronous storage writes. */
  advance(): void {
    const ready = this.#unacknowledged;
    assert(ready !== undefined, 'advance follows ready');
    this.#unacknowledged = undefined;
    if (ready.append !== undefined) this.acknowledgeAppend(ready.append);
    if (ready.apply !== undefined) this.acknowledgeApply(ready.apply);
  }

  /**
   * `work` is on stable storage, and all that was handed out before it. Returns the messages that may leave
   * now. Without asynchronous writes this is `advance`'s business.
   */
  acknowledgeAppend(work: AppendWork): readonly Message[] {
    const replica = this.#replica;
    const messages: Message[] = [];
    for (const response of work.responses) {
      if (response.to === replica.id) step(replica, response);
      else messages.push(response);
    }
    // If the term has moved on, other entries may stand at the same place by now, and even be equal in name
    // to what a later write brings: only that write's own acknowledgement counts (RAFT.md 2.3, ABA).
    if (work.last !== undefined && work.term === replica.term) {
      replica.log.unstable.stableTo(work.last);
    }
    if (work.snapshot !== undefined) replica.log.stableSnapshotTo(work.snapshot.index);
    return messages;
  }

  /** `work` has been applied, and all that was handed out before it. */
  acknowledgeApply(work: ApplyWork): void {
    const replica = this.#replica;
    replica.log.appliedTo(work.entries.at(-1)!.index, entriesBytes(work.entries));
    releaseBytes(replica, work.entries);
    maybeLeaveJoint(replica);
    releasePostponedReads(replica);
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

  #takeAppend(): AppendWork | undefined {
    const replica = this.#replica;
    const { log } = replica;
    const hardState = this.#hardStateChanged() ? replica.hardState : undefined;
    const entries = log.unstable.nextEntries();
    const snapshot = log.unstable.hasNextSnapshot ? log.unstable.snapshot : undefined;
    const { responses } = replica;
    if (!hardState && entries.length === 0 && !snapshot && responses.length === 0) return undefined;
    const work = {
      hardState,
      entries,
      snapshot,
      mustSync: mustSync(this.#hardState, hardState, entries) || snapshot !== undefined,
      responses,
      last: log.unstable.entryCount > 0 ? log.lastId() : undefined,
      term: replica.term,
    };
    log.unstable.accept();
    replica.responses = [];
    if (hardState !== undefined) this.#hardState = hardState;
    return work;
  }

  #takeApply(): ApplyWork | undefined {
    const { log } = this.#replica;
    const entries = log.nextCommitted(this.#config.asyncStorageWrites);
    if (entries.length === 0) return undefined;
    log.acceptApplying(entries);
    return { entries };
  }

  #takeSoftState(): SoftState | undefined {
    if (!this.#softStateChanged()) return undefined;
    this.#softState = { lead: this.#replica.lead, role: this.#replica.role };
    return this.#softState;
  }

  #softStateChanged(): boolean {
    return (
      this.#softState.lead !== this.#replica.lead || this.#softState.role !== this.#replica.role
    );
  }

  #hardStateChanged(): boolean {
    const { term, vote, commit } = this.#hardState;
    const replica = this.#replica;
    return commit !== replica.log.committed || term !== replica.term || vote !== replica.vote;
  }
}

/** Without asynchronous writes messages leave after the write, so those that wait for it go with them. */
function withResponses(messages: readonly Message[], append: AppendWork | undefined): Message[] {
  const waiting = append?.responses.filter(({ from, to }) => from !== to) ?? [];
  return [...messages, ...waiting];
}

function mustSync(
  before: HardState,
  after: HardState | undefined,
  entries: readonly Entry[],
): boolean {
  if (entries.length > 0) return true;
  return after !== undefined && (after.term !== before.term || after.vote !== before.vote);
}
