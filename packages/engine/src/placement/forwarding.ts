// Messages that came to a node which does not lead their group: passed on to the leader, and its answers
// passed back. Nothing waits for ever: a lost connection or a silent leader ends in UNAVAILABLE, and the
// client retries under the same number.

import type { Limits } from '@deltabase/base';
import type { Links } from '../peers/links.js';
import type { NodeId } from '../ports.js';
import { type AnswerSink, failure, overloaded, type Result, type Submission } from '../results.js';
import { encodeAnswer, encodeForward } from './forward-codec.js';

/** Who waits for the answer; the message itself has left. */
interface Forwarded {
  readonly sink: AnswerSink;
  readonly tag: number;
  readonly to: NodeId;
  readonly expiresMs: number;
}

export interface ForwardingOptions {
  readonly links: Links;
  readonly limits: Limits;
  readonly touched: Set<AnswerSink>;
  /** 32 bits drawn for this life of the node. */
  readonly life: number;
}

/** More than a message or an answer takes beside its payload or reply, in bytes. */
const OVERHEAD_BYTES = 256;

export class Forwarding {
  readonly #links: Links;
  readonly #limits: Limits;
  readonly #touched: Set<AnswerSink>;
  readonly #waiting = new Map<number, Forwarded>();
  /** Ids differ between lives: an answer to a message of an earlier one must find nobody (AckedIsDurable). */
  #lastId: number;
  #count = 0;

  constructor({ links, limits, touched, life }: ForwardingOptions) {
    this.#links = links;
    this.#limits = limits;
    this.#touched = touched;
    this.#lastId = life * 2 ** 20;
  }

  /** Messages passed on so far. */
  get count(): number {
    return this.#count;
  }

  /** Those that are not answered. */
  get waitingCount(): number {
    return this.#waiting.size;
  }

  /** Whether every message passed on is answered. */
  get idle(): boolean {
    return this.#waiting.size === 0;
  }

  /** Passes a message on to `to`. */
  forward(submission: Submission, to: NodeId, nowMs: number): void {
    const { message, sink, tag } = submission;
    if (this.#waiting.size >= this.#limits.forwardsMax) {
      const why = 'too many messages wait for other nodes: send to the leader, or slower';
      this.#answer({ sink, tag }, overloaded(why));
      return;
    }
    this.#count++;
    const id = ++this.#lastId;
    const expiresMs = Math.min(submission.expiresMs, nowMs + this.#limits.forwardTimeoutMs);
    this.#waiting.set(id, { sink, tag, to, expiresMs });
    const msLeft = Math.max(0, Math.floor(expiresMs - nowMs));
    const list = encodeForward(id, msLeft, message);
    this.#links.sendForward(to, list, message.payload.length + OVERHEAD_BYTES);
  }

  /** A leader has answered the message that went out as `id`. */
  answered(from: NodeId, id: number, result: Result): void {
    const forwarded = this.#waiting.get(id);
    if (forwarded === undefined || forwarded.to !== from) return;
    this.#waiting.delete(id);
    this.#answer(forwarded, result);
  }

  /** Gives up what `peer` can no longer answer. */
  lost(peer: NodeId): void {
    for (const [id, forwarded] of this.#waiting) {
      if (forwarded.to === peer) this.#giveUp(id, forwarded);
    }
  }

  tick(nowMs: number): void {
    for (const [id, forwarded] of this.#waiting) {
      if (forwarded.expiresMs <= nowMs) this.#giveUp(id, forwarded);
    }
  }

  /** Gives up everything. */
  close(): void {
    for (const [id, forwarded] of this.#waiting) this.#giveUp(id, forwarded);
  }

  #giveUp(id: number, forwarded: Forwarded): void {
    this.#waiting.delete(id);
    this.#answer(forwarded, unanswered(forwarded.to));
  }

  #answer({ sink, tag }: Pick<Forwarded, 'sink' | 'tag'>, result: Result): void {
    sink.answer(tag, result);
    this.#touched.add(sink);
  }
}

/** Sends answers back to the node that passed the messages on; the turn's frame carries them. */
export class PeerAnswerSink implements AnswerSink {
  readonly #links: Links;
  readonly #peer: NodeId;

  constructor(links: Links, peer: NodeId) {
    this.#links = links;
    this.#peer = peer;
  }

  answer(tag: number, result: Result): void {
    const content =
      result.kind === 'accepted' ? (result.reply?.length ?? 0) : result.message.length;
    this.#links.sendAnswer(this.#peer, encodeAnswer(tag, result), content + OVERHEAD_BYTES);
  }

  flush(): void {
    // The turn's frame goes by itself.
  }
}

function unanswered(peer: NodeId): Result {
  return failure(
    'UNAVAILABLE',
    `node ${peer}, which leads, did not answer: send the message again under the same number`,
    { outcomeUnknown: true },
  );
}
