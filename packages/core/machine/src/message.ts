// A message and its identity. Exactly-once rests on (session, number): a client opens a session under a
// name nobody else uses, numbers its messages in it from 1, and retries a message under the same number.
// Invariant AckedIsDurable; see sessions.ts for how long an answer is remembered.

/** What a client's messages share: who retries them, and which of them it will never retry again. */
export interface SessionRef {
  /** Chosen by the client, unique for ever; '' for messages that are never retried (no dedupe). */
  readonly name: string;
  /** Milliseconds since 1970 by the client's clock, when it opened the session. */
  readonly openedAt: number;
  /** Every number below this has its answer or was given up; answers to them may be forgotten. */
  readonly settled: number;
}

/** A message on its way to a document. */
export interface Message {
  readonly space: string;
  readonly key: string;
  readonly channel: string;
  /** JSON text in UTF-8. */
  readonly payload: Uint8Array;
  readonly principal: string;
  readonly session: SessionRef;
  /** From 1, in order of sending; 0 if and only if the session has no name. */
  readonly number: number;
  /**
   * 0, or the number of an earlier message of the session that must have been executed before this one:
   * the last one to the same document that the client has no answer to yet. It keeps a document's
   * messages in order when some of them are retried.
   */
  readonly after: number;
  /**
   * A copy of it was sent before and may still run: its answer is remembered by the group then, whatever it
   * is (outcome.ts). `undefined`: it was not.
   */
  readonly retried?: boolean;
}

/** The first and lasting answer to a message that took effect. */
export interface Answer {
  /** The document's seq after the message. */
  readonly seq: number;
  /** Canonical JSON; `undefined`: the handler gave no reply. */
  readonly reply: Uint8Array | undefined;
}

/** A message's id as people see it: `session/number`, or '' without a session. */
export function messageId(session: string, number: number): string {
  return session === '' ? '' : `${session}/${number}`;
}
