// What replicas say to each other: one plain shape for each kind, so that a host can encode them as it
// likes. `term` is the sender's, except where noted; `from` and `to` are never NONE.

import type { Entry, EntryId, NodeId, Snapshot } from './types.js';

interface Envelope {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly term: number;
}

/** AppendEntries (Raft §5.3). Without entries it carries a newer commit index. */
export interface AppendMessage extends Envelope {
  readonly type: 'append';
  /** The entry right before the new ones. */
  readonly prevIndex: number;
  readonly prevTerm: number;
  readonly entries: readonly Entry[];
  readonly commit: number;
  /** What the leader knows the receiver to hold durably: if it does not, it has lost data. */
  readonly match: number;
}

export interface AppendResponseMessage extends Envelope {
  readonly type: 'appendResponse';
  /** The last index that matches the leader's log; of a rejection, the prevIndex that did not. */
  readonly index: number;
  readonly reject: boolean;
  /** Of a rejection: the latest position at which the logs may agree (findConflictByTerm). */
  readonly hintIndex: number;
  readonly hintTerm: number;
}

/** RequestVote (Raft §5.2). Pre-votes ask for `term`, which the sender has not entered yet (thesis §9.6). */
export interface VoteMessage extends Envelope {
  readonly type: 'vote' | 'preVote';
  readonly lastIndex: number;
  readonly lastTerm: number;
  /** The leader asked for this election: leases do not count (thesis §3.10). */
  readonly transfer: boolean;
  readonly commit?: KnownCommit;
}

/** A granted pre-vote bears the term that was asked for; a rejection the term of its sender. */
export interface VoteResponseMessage extends Envelope {
  readonly type: 'voteResponse' | 'preVoteResponse';
  readonly reject: boolean;
  readonly commit?: KnownCommit;
}

/**
 * The last entry that the sender of a vote, or of an answer to one, knows to be committed. Without it the
 * nodes that are left may wait for the vote of one that was removed, for want of knowing that it was.
 */
export type KnownCommit = EntryId;

export interface HeartbeatMessage extends Envelope {
  readonly type: 'heartbeat';
  /** Never beyond what the receiver is known to hold. */
  readonly commit: number;
  readonly match: number;
  /** The leader's latest round of reads in its term; 0: none yet. */
  readonly readRound: number;
}

export interface HeartbeatResponseMessage extends Envelope {
  readonly type: 'heartbeatResponse';
  readonly readRound: number;
  /** The sender has found out that it lost what it had acknowledged, and takes no more part. */
  readonly damaged: boolean;
}

/** InstallSnapshot (Raft §7). The host may send the state itself on another way. */
export interface SnapshotMessage extends Envelope {
  readonly type: 'snapshot';
  readonly snapshot: Snapshot;
}

/** The leader's request to campaign at once (thesis §3.10). */
export interface TimeoutNowMessage extends Envelope {
  readonly type: 'timeoutNow';
}

/** A follower passes on a request to move the leadership to `transferee`. */
export interface TransferLeaderMessage extends Envelope {
  readonly type: 'transferLeader';
  readonly transferee: NodeId;
}

/** A follower passes a proposal on; the term is always 0. */
export interface ProposeMessage extends Envelope {
  readonly type: 'propose';
  readonly entries: readonly ProposedEntry[];
}

/** What is proposed: the leader gives it its term and index. */
export type ProposedEntry = Pick<Entry, 'type' | 'data'>;

/** A follower asks the leader for an index to read at (thesis §6.4); the term is always 0. */
export interface ReadIndexMessage extends Envelope {
  readonly type: 'readIndex';
  readonly context: Uint8Array;
}

export interface ReadIndexResponseMessage extends Envelope {
  readonly type: 'readIndexResponse';
  readonly index: number;
  readonly context: Uint8Array;
}

export type Message =
  | AppendMessage
  | AppendResponseMessage
  | VoteMessage
  | VoteResponseMessage
  | HeartbeatMessage
  | HeartbeatResponseMessage
  | SnapshotMessage
  | TimeoutNowMessage
  | TransferLeaderMessage
  | ProposeMessage
  | ReadIndexMessage
  | ReadIndexResponseMessage;

/**
 * Messages that promise something: they wait until what they tell of is on stable storage
 * (DurableBeforeTold). Requests for votes are among them: who forgets in a crash that it has asked may ask again
 * in the same term with a shorter log, and be elected by the old answers. Pre-votes promise nothing, and need not
 * wait.
 */
export type DurableMessage = AppendResponseMessage | VoteResponseMessage | VoteMessage;

/** Messages that promise nothing that a crash could undo. */
export type PromptMessage = Exclude<Message, AppendResponseMessage | VoteResponseMessage>;
