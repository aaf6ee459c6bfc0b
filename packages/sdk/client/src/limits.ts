// Every limit of the client, with unit, default and reason. Each queue it keeps and each wait it makes has one.

export interface ClientLimits {
  /** How long a call may take unless it says otherwise, and at most. */
  readonly deadlineMs: number;
  readonly deadlineMsMax: number;

  /** Characters of one message; the cluster has its own, smaller limit for payloads. */
  readonly messageBytesMax: number;

  /** Messages sent to the cluster or about to be, without an answer. */
  readonly inFlightMax: number;
  readonly inFlightBytesMax: number;
  /** Those of them that are on the stream to one node. */
  readonly streamInFlightMax: number;
  /** Messages that wait for room among those. */
  readonly waitingMax: number;
  readonly waitingBytesMax: number;

  /** Reads without an answer; one more is refused. */
  readonly readsOpenMax: number;

  /** Watches that share a stream. */
  readonly watchesPerStreamMax: number;
  /** Events that may be on their way on it. */
  readonly watchCreditBytes: number;
  /** Events of one watch, and of all at a node, that wait for their readers; with more a watch goes on apart from others. */
  readonly watchUnreadBytesMax: number;
  readonly watchesUnreadBytesMax: number;

  readonly frameMessagesMax: number;
  readonly frameBytesMax: number;

  readonly sessionAgeMsMax: number;
  readonly sessionWidthMax: number;
  readonly sessionsMax: number;

  readonly attemptTimeoutMs: number;
  readonly stallMs: number;
  readonly retryMsMin: number;
  readonly retryMsMax: number;
  readonly reconnectMsMin: number;
  readonly reconnectMsMax: number;
  readonly openTimeoutMs: number;
  readonly settleMs: number;

  readonly copyHintsMax: number;
  readonly copiesMax: number;
  readonly copyHintMs: number;
  readonly copyTimeoutMs: number;
  readonly copyRestMs: number;
  readonly copyMoveMs: number;
  readonly copyLinksMax: number;
  readonly copyIdleMs: number;

  readonly receiveBytesMax: number;
}

const MIB = 1024 * 1024;

/** The defaults. The comment behind each says why. */
export const CLIENT_LIMITS: ClientLimits = {
  deadlineMs: 30_000, // ms; survives any failover
  deadlineMsMax: 600_000, // ms; with sessionAgeMsMax well below the hour for which a cluster knows a session

  messageBytesMax: 1 * MIB, // characters; with others in its frame it must stay below 4 MiB of UTF-8

  inFlightMax: 16_384, // messages; enough to keep three nodes busy
  inFlightBytesMax: 64 * MIB, // bytes of them
  streamInFlightMax: 8192, // messages; half of what a node takes from one stream
  waitingMax: 65_536, // messages; some seconds of a busy cluster
  waitingBytesMax: 64 * MIB, // bytes of them

  readsOpenMax: 65_536, // reads; a node begins 2048 of one stream at once

  watchesPerStreamMax: 10_000, // watches; a node takes 20,000, with those that have ended and it does not know of yet
  watchCreditBytes: 1 * MIB, // bytes; a second of ten megabits: so long a large state may hold up other watches
  watchUnreadBytesMax: 4 * MIB, // bytes, as they are in memory; more than can come at once
  watchesUnreadBytesMax: 16 * MIB, // bytes

  frameMessagesMax: 4096, // messages in one frame; a node executes so many in a turn
  frameBytesMax: 1 * MIB, // bytes of one frame; a node takes 4 MiB

  sessionAgeMsMax: 20 * 60_000, // ms; then a new session begins, see sessions.ts
  sessionWidthMax: 32_768, // numbers from the lowest unsettled one on; half of a group's window
  sessionsMax: 16, // sessions with unanswered messages: one stuck message must not stop the others

  attemptTimeoutMs: 10_000, // ms that a node may take for one attempt; as long as it forwards
  stallMs: 15_000, // ms without the answer to a message until its stream counts as broken
  retryMsMin: 20, // ms before the second attempt, doubled for each further one
  retryMsMax: 400, // ms between attempts at most; less than an election takes
  reconnectMsMin: 50, // ms before a lost connection is tried again, doubled each time
  reconnectMsMax: 2000, // ms between such tries at most
  openTimeoutMs: 3000, // ms until a node must have answered a new connection
  settleMs: 500, // ms that connect waits for further nodes once the first has answered

  copyHintsMax: 1000, // hot documents whose copies are known
  copiesMax: 64, // copies of one document that are known
  copyHintMs: 5000, // ms until a read asks the leader's way whether copies are there still; after twice that all do
  copyTimeoutMs: 2000, // ms that a copy is given for a read, before the leader is asked
  copyRestMs: 5000, // ms that a copy is left alone that failed
  copyMoveMs: 1000, // ms over which the watches that are told of copies move there: not all at once
  copyLinksMax: 64, // connections to copies
  copyIdleMs: 60_000, // ms until one that is not used is closed

  receiveBytesMax: 32 * MIB, // bytes of one message from a node; a read gives 4 MiB, escaped at worst
};
