// The state of one replica (Raft Figure 2) and the moves every rule is made of: sending, and taking a role.
// The rules themselves are functions in the files around: elections, sending, following, reads, ...

import { assert } from './assert.js';
import { checkStorage } from './check-storage.js';
import type { FullConfig } from './config.js';
import { Lease } from './lease.js';
import { RaftLog } from './log.js';
import type { DurableMessage, PromptMessage } from './message.js';
import { Tracker } from './tracker.js';
import {
  type ConfState,
  type HardState,
  NONE,
  type NodeId,
  type ReadState,
  type Role,
} from './types.js';

/** A read that waits for a quorum to confirm the leader. */
export interface PendingRead {
  readonly from: NodeId;
  readonly context: Uint8Array;
  /** The commit index when the read came. */
  readonly index: number;
  readonly round: number;
}

/** A read that came before the leader had committed anything in its term. */
export type PostponedRead = Pick<PendingRead, 'from' | 'context'>;

export class Replica {
  readonly id: NodeId;
  readonly config: FullConfig;
  readonly log: RaftLog;
  readonly tracker: Tracker;

  term: number;
  vote: NodeId;
  role: Role = 'follower';
  lead: NodeId = NONE;

  electionElapsed = 0;
  heartbeatElapsed = 0;
  /** The election timeout of this term, drawn from [electionTicks, 2 * electionTicks). */
  electionTimeout = 0;

  /** Ticks since this replica was made. */
  ticks = 0;
  /** When, by `ticks`, it last heard of a leader; it may have done so right before it was made. */
  leaderHeardAt = 0;

  /** Where the leadership is being moved to. */
  leadTransferee: NodeId = NONE;
  /** Ticks since that began. */
  transferElapsed = 0;
  /** No further configuration change may be proposed until this index is applied. */
  pendingConfIndex = 0;
  /** Bytes of the leader's entries that are not applied yet. */
  uncommittedBytes = 0;
  /** Its host wants it to lead nothing: it does not campaign. */
  abstains = false;
  /** It has found out that it lost what it had acknowledged; it takes no more part. */
  damaged = false;

  /** The configuration as applied, while a snapshot on its way to the disk has set a later one. */
  appliedConf: ConfState | undefined;

  /** The number of the latest round of reads; unique within a term. */
  readRound = 0;
  readonly lease: Lease;
  pendingReads: PendingRead[] = [];
  postponedReads: PostponedRead[] = [];
  readStates: ReadState[] = [];

  /** Messages that may leave at once. */
  messages: PromptMessage[] = [];
  /** Responses that wait for what was appended so far to be durable; some are for this replica itself. */
  durableMessages: DurableMessage[] = [];

  constructor(config: FullConfig) {
    checkStorage(config);
    const { hardState, confState } = config.storage.initialState();
    this.id = config.id;
    this.config = config;
    this.log = new RaftLog(config.storage, config.applied, config.applyingBytesMax);
    this.tracker = new Tracker(confState, Math.max(this.log.lastIndex, 1), {
      messagesMax: config.inflightMessagesMax,
      bytesMax: config.inflightBytesMax,
    });
    this.lease = new Lease(config.electionTicks);
    this.term = hardState.term;
    this.vote = hardState.vote;
    this.log.commitTo(hardState.commit);
    this.becomeFollower(this.term, NONE);
  }

  get hardState(): HardState {
    return { term: this.term, vote: this.vote, commit: this.log.committed };
  }

  /** Whether this replica is in the configuration and not as a learner only. */
  get isVoter(): boolean {
    const progress = this.tracker.progress(this.id);
    return progress !== undefined && !progress.isLearner;
  }

  /** Whether it may campaign: it votes, is whole, is not to abstain, and has no snapshot on its way to the disk. */
  get promotable(): boolean {
    return this.isVoter && !this.damaged && !this.abstains && !this.log.unstable.hasSnapshot;
  }

  /** Whether an entry of the leader's own term is committed: only then it knows what is (Raft §8). */
  get committedInTerm(): boolean {
    return this.log.term(this.log.committed) === this.term;
  }

  /** Sends what may leave at once. */
  send(message: PromptMessage): void {
    assert(message.to !== NONE, 'a message has a receiver');
    assert(message.to !== this.id, 'only what waits for the disk goes to the replica itself');
    this.messages.push(message);
  }

  /** Sends, maybe to this replica itself, once all that was appended so far is durable (DurableBeforeTold). */
  sendDurably(message: DurableMessage): void {
    assert(message.to !== NONE, 'a message has a receiver');
    this.durableMessages.push(message);
  }

  becomeFollower(term: number, lead: NodeId): void {
    this.#reset(term);
    this.lead = lead;
    this.#enter('follower');
  }

  becomePreCandidate(): void {
    assert(this.role !== 'leader', 'a leader does not campaign');
    // Neither term nor vote change: a pre-vote promises nothing (thesis §9.6).
    this.tracker.resetVotes();
    this.lead = NONE;
    this.#enter('preCandidate');
  }

  becomeCandidate(): void {
    assert(this.role !== 'leader', 'a leader does not campaign');
    this.#reset(this.term + 1);
    this.vote = this.id;
    this.#enter('candidate');
  }

  /** Takes the leadership, without its first entry. */
  becomeLeader(): void {
    assert(this.role !== 'follower', 'only who campaigns is elected');
    this.#reset(this.term);
    this.lead = this.id;
    this.#enter('leader');
    const self = this.tracker.progress(this.id);
    if (self !== undefined) {
      self.becomeReplicate();
      self.recentActive = true;
    }
    // Changes in the log that it does not know to be applied count as pending (contract 5).
    this.pendingConfIndex = this.log.lastIndex;
  }

  /** Numbers the heartbeats to come, so that answers to them tell that this leader led after this moment. */
  beginRound(): number {
    assert(this.role === 'leader', 'only a leader has itself confirmed');
    this.readRound++;
    const self = this.tracker.progress(this.id);
    if (self !== undefined) self.readRound = this.readRound;
    if (this.config.readOnly === 'lease') this.lease.began(this.readRound, this.ticks);
    return this.readRound;
  }

  /** Draws the timeout of the next election. */
  drawElectionTimeout(): void {
    const { electionTicks, random } = this.config;
    this.electionTimeout = electionTicks + random(electionTicks);
  }

  trace(line: string): void {
    this.config.trace(`${this.id} term ${this.term}: ${line}`);
  }

  #enter(role: Role): void {
    this.role = role;
    this.trace(`becomes ${role}`);
  }

  #reset(term: number): void {
    assert(term >= this.term, 'a term never goes back (TermsOnlyGrow)');
    if (term !== this.term) {
      this.term = term;
      this.vote = NONE;
    }
    this.lead = NONE;
    this.electionElapsed = 0;
    this.heartbeatElapsed = 0;
    this.drawElectionTimeout();
    this.leadTransferee = NONE;
    this.pendingConfIndex = 0;
    this.uncommittedBytes = 0;
    this.readRound = 0;
    this.lease.reset();
    this.pendingReads = [];
    this.postponedReads = [];
    this.tracker.reset(this.log.lastIndex + 1);
    const self = this.tracker.progress(this.id);
    if (self !== undefined) self.match = this.log.lastIndex;
  }
}
