// One message from the call that sends it to its answer. It stands in two lists at once, both in the order of
// the calls: that of its document (lane.ts) and that of its session (sessions.ts). Both are linked through the
// messages themselves, so that leaving one costs nothing, whatever its length.

import type { DeltabaseError } from '@deltabase/base';
import type { WireMessage } from '../transport/wire.js';
import type { Lane } from './lane.js';
import type { Session } from './sessions.js';

/** Who waits for the answers of messages. */
export interface Receiver {
  /** `reply` is JSON text; `undefined`: the handler gave none. */
  accepted(message: Outgoing, seq: number, reply: string | undefined): void;
  failed(message: Outgoing, error: DeltabaseError): void;
}

/** A document to send to. */
export interface Target {
  readonly space: string;
  readonly key: string;
  /** Its name, which no other document has. */
  readonly name: string;
}

export function targetOf(space: string, key: string): Target {
  return { space, key, name: `${space}/${key}` };
}

/** What a call says of a message. */
export interface OutgoingFields {
  readonly target: Target;
  readonly channel: string;
  /** JSON text; empty for null. */
  readonly payload: string;
  readonly timeoutMs: number;
  /** When it is given up, by the monotonic clock, ms. */
  readonly deadlineMs: number;
  readonly receiver: Receiver;
  /** The receiver's own name for it. */
  readonly tag: number;
}

/** More than a message adds to the bytes of its texts, in a frame and in memory. */
const OVERHEAD_BYTES = 64;

export class Outgoing implements WireMessage {
  readonly target: Target;
  readonly channel: string;
  readonly payload: string;
  readonly timeoutMs: number;
  readonly deadlineMs: number;
  readonly receiver: Receiver;
  readonly tag: number;

  /** 0 until it is admitted; then for ever the same, whatever happens to it. */
  number = 0;
  /** What it is sent with: see lane.ts. */
  after = 0;
  session: Session | undefined;
  lane: Lane | undefined;

  /** Its neighbours in the lane. */
  previous: Outgoing | undefined;
  next: Outgoing | undefined;
  /** Its neighbours in the session. */
  older: Outgoing | undefined;
  newer: Outgoing | undefined;

  /** It has its answer, or was given up. */
  settled = false;
  /** A copy of it is on a stream, written or about to be. */
  inFlight = false;
  /** That copy was written. */
  written = false;
  writtenMs = 0;
  /** Copies that may have been executed without an answer, or may still be: nobody knows what they did. */
  lostCopies = 0;
  /** The same, and nobody was asked since whether it is known: see "questions" in lane.ts. */
  unasked = false;
  /** When it was asked about last, messages of its lane up to this number were known to be executed. */
  askedBelow = 0;
  /** What came back last. */
  lastError: DeltabaseError | undefined;
  /** Takes the listener off the caller's AbortSignal. */
  release: (() => void) | undefined;

  constructor(fields: OutgoingFields) {
    this.target = fields.target;
    this.channel = fields.channel;
    this.payload = fields.payload;
    this.timeoutMs = fields.timeoutMs;
    this.deadlineMs = fields.deadlineMs;
    this.receiver = fields.receiver;
    this.tag = fields.tag;
  }

  /** Whether it cannot be said that it had no effect. */
  get uncertain(): boolean {
    return this.lostCopies > 0;
  }

  /** Tells the cluster to remember the answer for the copies before this one. */
  get retried(): boolean {
    return this.uncertain;
  }

  get space(): string {
    return this.target.space;
  }

  get key(): string {
    return this.target.key;
  }

  /** What it counts for among the bytes in flight, about. */
  get bytes(): number {
    const { target, channel, payload } = this;
    return OVERHEAD_BYTES + target.name.length + channel.length + payload.length;
  }
}
