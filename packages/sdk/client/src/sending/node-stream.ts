// The stream of messages to one node. What is to be sent in a turn of the process gathers here and leaves as
// one frame; what was sent waits here for its answer. Bounded: so many unanswered messages, and nothing is
// written while the transport wants a pause.

import { assert, type DeltabaseError } from '@deltabase/base';
import { Fifo } from '../fifo.js';
import type { ClientLimits } from '../limits.js';
import type { SendStream } from '../transport/transport.js';
import type { WireError } from '../transport/wire.js';
import type { World } from '../world.js';
import type { Outgoing } from './outgoing.js';
import type { Session, Sessions } from './sessions.js';

/** Who gets back what was sent. */
export interface Returns {
  accepted(message: Outgoing, seq: number, reply: string | undefined): void;
  failed(message: Outgoing, error: WireError): void;
  /** It was given up before it was written, so it was left out. */
  skipped(message: Outgoing): void;
  /** No answer will come: the stream has ended. */
  returned(message: Outgoing, why: DeltabaseError): void;
}

export interface NodeStreamOptions {
  readonly world: World;
  readonly limits: ClientLimits;
  readonly sessions: Sessions;
  readonly returns: Returns;
  /** Writes and ends frames; the stream does not listen to it itself. */
  readonly wire: SendStream;
  /** A message has had no answer for too long: the stream is of no use any more. */
  readonly stalled: () => void;
}

export class NodeStream {
  readonly #options: NodeStreamOptions;
  /** To be written. */
  readonly #outbox = new Fifo<Outgoing>();
  /** Written and unanswered, by number, oldest first. */
  readonly #unanswered = new Map<number, Outgoing>();
  #writable = true;
  #scheduled = false;
  #ended = false;
  #announced: Session | undefined;
  #settled = 0;
  #stopWatching: (() => void) | undefined;

  constructor(options: NodeStreamOptions) {
    this.#options = options;
  }

  /** Messages that have not come back. */
  get inFlight(): number {
    return this.#outbox.length + this.#unanswered.size;
  }

  /** Sends `message` with all else that is sent in this turn. */
  send(message: Outgoing): void {
    assert(!this.#ended, 'nothing is sent on a stream that has ended');
    this.#outbox.push(message);
    this.#schedule();
  }

  accepted(number: number, seq: number, reply: string | undefined): void {
    const message = this.#answered(number);
    if (message !== undefined) this.#options.returns.accepted(message, seq, reply);
  }

  failed(number: number, error: WireError): void {
    const message = this.#answered(number);
    if (message !== undefined) this.#options.returns.failed(message, error);
  }

  /** A response was taken: there may be room for more. */
  received(): void {
    if (this.#outbox.length > 0) this.#schedule();
  }

  drained(): void {
    this.#writable = true;
    if (this.#outbox.length > 0) this.#schedule();
  }

  /** The stream has ended: everything comes back. */
  ended(why: DeltabaseError): void {
    this.#ended = true;
    this.#stopWatching?.();
    const { returns } = this.#options;
    const written = [...this.#unanswered.values()];
    this.#unanswered.clear();
    for (const message of written) returns.returned(message, why);
    for (const message of this.#outbox.drain()) returns.returned(message, why);
  }

  #answered(number: number): Outgoing | undefined {
    const message = this.#unanswered.get(number);
    if (message !== undefined) this.#unanswered.delete(number);
    return message;
  }

  #schedule(): void {
    if (this.#scheduled || !this.#writable || this.#ended) return;
    this.#scheduled = true;
    this.#options.world.soon(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (!this.#ended && this.#writable && this.#outbox.length > 0) {
      const frame = this.#takeFrame();
      if (frame.length === 0) return;
      this.#write(frame);
    }
  }

  /** The next messages of one session, as many as a frame and the stream have room for. */
  #takeFrame(): Outgoing[] {
    const { frameMessagesMax, frameBytesMax, streamInFlightMax } = this.#options.limits;
    const room = Math.min(frameMessagesMax, streamInFlightMax - this.#unanswered.size);
    const frame: Outgoing[] = [];
    let bytes = 0;
    while (frame.length < room) {
      const message = this.#outbox.peek();
      if (message === undefined) break;
      if (frame.length > 0 && message.session !== frame[0]!.session) break;
      bytes += message.bytes;
      if (frame.length > 0 && bytes > frameBytesMax) break;
      this.#outbox.shift();
      frame.push(message);
    }
    return frame;
  }

  #write(taken: readonly Outgoing[]): void {
    const frame = this.#withoutSettled(taken);
    if (frame.length === 0) return;
    const { world, wire, sessions } = this.#options;
    const nowMs = world.nowMs();
    for (const message of frame) {
      message.written = true;
      message.writtenMs = nowMs;
      this.#unanswered.set(message.number, message);
    }
    const session = frame[0]!.session!;
    const settled = sessions.settledOf(session);
    const isNews = session !== this.#announced || settled !== this.#settled;
    this.#announced = session;
    this.#settled = settled;
    const announcement = isNews ? sessions.announce(session) : undefined;
    this.#writable = wire.write(announcement, frame, this.#timeoutOf(frame, nowMs));
    this.#stopWatching ??= this.#watchStalls();
  }

  /** What was given up while it waited to be written goes straight back: a settled number is never sent. */
  #withoutSettled(taken: readonly Outgoing[]): readonly Outgoing[] {
    if (!taken.some(({ settled }) => settled)) return taken;
    const { returns } = this.#options;
    for (const message of taken) {
      if (message.settled) returns.skipped(message);
    }
    return taken.filter(({ settled }) => !settled);
  }

  /** How long the node may take: nobody waits for these answers any longer. */
  #timeoutOf(frame: readonly Outgoing[], nowMs: number): number {
    const deadlineMs = frame.reduce((latest, message) => Math.max(latest, message.deadlineMs), 0);
    const leftMs = Math.max(1, Math.ceil(deadlineMs - nowMs));
    return Math.min(leftMs, this.#options.limits.attemptTimeoutMs);
  }

  /** Looks now and then whether the oldest message has waited for too long. */
  #watchStalls(): () => void {
    const { world, limits, stalled } = this.#options;
    return world.after(limits.stallMs / STALL_CHECKS, () => {
      this.#stopWatching = undefined;
      const oldest = this.#unanswered.values().next().value;
      if (oldest === undefined) return;
      if (world.nowMs() - oldest.writtenMs >= limits.stallMs) stalled();
      else this.#stopWatching = this.#watchStalls();
    });
  }
}

/** Looks within the time in which a message counts as stalled. */
const STALL_CHECKS = 8;
