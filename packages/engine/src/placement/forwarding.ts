// Messages that came to a node which does not lead their group: passed on to the leader, and its answers
// passed back. Nothing waits for ever: a lost connection or a silent leader ends in UNAVAILABLE, and the
// client retries under the same number.

import type { ErrorCode, Limits } from '@deltabase/base';
import type { Links } from '../peers/links.js';
import type { NodeId } from '../ports.js';
import { type AnswerSink, failure, type Result, type Submission } from '../results.js';

interface Forwarded {
  readonly submission: Submission;
  readonly to: NodeId;
  readonly expiresMs: number;
}

const ACCEPTED = 0;
const FAILED = 1;
const FORWARD_OVERHEAD_BYTES = 128;

export class Forwarding {
  readonly #links: Links;
  readonly #limits: Limits;
  readonly #touched: Set<AnswerSink>;
  readonly #waiting = new Map<number, Forwarded>();
  #lastId = 0;
  #count = 0;

  constructor(links: Links, limits: Limits, touched: Set<AnswerSink>) {
    this.#links = links;
    this.#limits = limits;
    this.#touched = touched;
  }

  /** Messages passed on so far. */
  get count(): number {
    return this.#count;
  }

  /** Whether every message passed on is answered. */
  get idle(): boolean {
    return this.#waiting.size === 0;
  }

  /** Passes a message on to `to`. */
  forward(submission: Submission, to: NodeId, nowMs: number): void {
    if (this.#waiting.size >= this.#limits.forwardsMax) {
      const why = 'too many messages wait for other nodes: send to the leader, or slower';
      this.#answer(submission, failure('OVERLOADED', why));
      return;
    }
    this.#count++;
    const id = ++this.#lastId;
    const expiresMs = Math.min(submission.expiresMs, nowMs + this.#limits.forwardTimeoutMs);
    this.#waiting.set(id, { submission, to, expiresMs });
    const { message } = submission;
    const { name, openedAt, settled } = message.session;
    const { space, key, channel, payload, principal, number, after } = message;
    const identity = [principal, name, openedAt, settled, number, after];
    const list = [id, expiresMs - nowMs, space, key, channel, payload, ...identity];
    this.#links.sendForward(to, list, payload.length + FORWARD_OVERHEAD_BYTES);
  }

  /** A leader has answered. */
  // biome-ignore lint/suspicious/noExplicitAny: a list of mixed fields, by position.
  answered(from: NodeId, list: any[]): void {
    const [id, kind, ...rest] = list;
    const forwarded = this.#waiting.get(id);
    if (forwarded === undefined || forwarded.to !== from) return;
    this.#waiting.delete(id);
    if (kind === ACCEPTED) {
      const [seq, reply] = rest;
      this.#answer(forwarded.submission, { kind: 'accepted', seq, reply: reply ?? undefined });
    } else {
      const [code, message, details] = rest as [ErrorCode, string, Record<string, string>];
      this.#answer(forwarded.submission, failure(code, message, details));
    }
  }

  /** Gives up what `peer` can no longer answer. */
  lost(peer: NodeId): void {
    for (const [id, { submission, to }] of this.#waiting) {
      if (to !== peer) continue;
      this.#waiting.delete(id);
      this.#answer(submission, unanswered(peer));
    }
  }

  tick(nowMs: number): void {
    for (const [id, { submission, to, expiresMs }] of this.#waiting) {
      if (expiresMs > nowMs) continue;
      this.#waiting.delete(id);
      this.#answer(submission, unanswered(to));
    }
  }

  #answer({ sink, tag }: Submission, result: Result): void {
    sink.answer(tag, result);
    this.#touched.add(sink);
  }
}

/** A message that another node passed on to this one; its answers go back to that node. */
// biome-ignore lint/suspicious/noExplicitAny: a list of mixed fields, by position.
export function decodeForward(list: any[], sink: AnswerSink, nowMs: number): Submission {
  const [tag, msLeft, space, key, channel, payload, ...identity] = list;
  const [principal, name, openedAt, settled, number, after] = identity;
  const session = { name, openedAt, settled };
  const message = { space, key, channel, payload, principal, session, number, after };
  return { message, sink, tag, expiresMs: nowMs + msLeft };
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
    if (result.kind === 'accepted') {
      const { seq, reply } = result;
      const bytes = FORWARD_OVERHEAD_BYTES + (reply?.length ?? 0);
      this.#links.sendAnswer(this.#peer, [tag, ACCEPTED, seq, reply ?? null], bytes);
    } else {
      const { code, message, details } = result;
      const bytes = FORWARD_OVERHEAD_BYTES + message.length;
      this.#links.sendAnswer(this.#peer, [tag, FAILED, code, message, details], bytes);
    }
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
