// A client's session on a simulated cluster: numbers its messages, sends each to any node, and again under the same
// number until it has its answer for good, as the real client does.

import { ERRORS, encodeUtf8, type Prng } from '@deltabase/base';
import type { NodeId, Result } from '@deltabase/engine';
import type { Cluster } from './cluster.js';
import { WALL_START_MS } from './node-clock.js';

export interface SessionOptions {
  readonly cluster: Cluster;
  /** Unique for ever. */
  readonly name: string;
  readonly space: string;
  /** Told of each answer. */
  readonly trace?: (line: string) => void;
  /** Keeps the order of the messages to one document, by `after`. */
  readonly ordered?: boolean;
}

/** What is sent. */
export interface Outgoing {
  readonly key: string;
  readonly channel: string;
  readonly payload: Readonly<Record<string, unknown>>;
  /** Told of every answer for good: the first, and those to later retries. */
  readonly answered: (result: Result, order: 'first' | 'again') => void;
}

/** One message from its first sending to its answer. */
export interface Sending extends Outgoing {
  /** The session's name and the message's number: nothing else has it. */
  readonly token: string;
  readonly number: number;
  attempts: number;
  /** The answer for good. */
  result: Result | undefined;
}

export const RETRY_MS = 60;
/** Each time it waits longer, up to a while, and half of that is left to chance: clients must not keep step. */
const AGAIN_FACTOR = 1.5;
const RETRY_MS_MAX = 500;
export const TIMEOUT_MS = 1500;

export class SimulatedSession {
  readonly #options: SessionOptions;
  readonly chance: Prng;
  /** By number, from 1 on. */
  readonly #sendings: Sending[] = [];
  #settled = 1;
  #isDead = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.chance = options.cluster.simulation.random.fork(`client ${options.name}`);
  }

  /** Messages that still wait for an answer. */
  get openCount(): number {
    if (this.#isDead) return 0;
    const unsettled = this.#sendings.slice(this.#settled - 1);
    return unsettled.filter(({ result }) => result === undefined).length;
  }

  get sendings(): readonly Sending[] {
    return this.#sendings;
  }

  /** The token of the message that is sent next. */
  get nextToken(): string {
    return `${this.#options.name}-${this.#sendings.length + 1}`;
  }

  send(outgoing: Outgoing, to?: NodeId): Sending {
    const identity = { token: this.nextToken, number: this.#sendings.length + 1 };
    const sending = { ...outgoing, ...identity, attempts: 0, result: undefined };
    this.#sendings.push(sending);
    this.#attempt(sending, to);
    return sending;
  }

  /** Sends a message that has an answer already, or not, once more. */
  retry(sending: Sending, to?: NodeId): void {
    this.#attempt(sending, to);
  }

  /** The client ends: it sends nothing again, and takes no answer any more. */
  die(): void {
    this.#isDead = true;
  }

  /** A node that runs; `undefined`: none does. */
  pickNode(): NodeId | undefined {
    const { cluster } = this.#options;
    const up = cluster.ids.filter((id) => cluster.isUp(id));
    return up.length === 0 ? undefined : up[this.chance.below(up.length)];
  }

  #attempt(sending: Sending, to = this.pickNode()): void {
    const { cluster } = this.#options;
    const attempt = ++sending.attempts;
    // Nobody may ever answer: the node may be gone.
    cluster.simulation.schedule(TIMEOUT_MS + RETRY_MS, () => this.#retryLater(sending, attempt));
    if (to === undefined || !cluster.isUp(to)) return;
    const answer = (_tag: number, result: Result): void => this.#answered(sending, attempt, result);
    const sink = { answer, flush() {} };
    const message = { retried: attempt > 1, ...this.#messageOf(sending) };
    cluster.reach(to, (engine) => {
      const expiresMs = cluster.monotonicMs(to) + TIMEOUT_MS;
      engine.submit([{ message, sink, tag: 0, expiresMs }]);
    });
  }

  #messageOf({ key, channel, payload, number }: Sending) {
    const { name, space, ordered = false } = this.#options;
    return {
      space,
      key,
      channel,
      payload: encodeUtf8(JSON.stringify(payload)),
      principal: 'tests',
      session: { name, openedAt: WALL_START_MS, settled: this.#settled },
      number,
      after: ordered ? this.#lastOpenBefore(key, number) : 0,
    };
  }

  /** The number of the last message to the same document that has no answer yet; 0: there is none. */
  #lastOpenBefore(key: string, number: number): number {
    for (let at = number - 2; at >= this.#settled - 1; at--) {
      const sending = this.#sendings[at]!;
      if (sending.key === key && sending.result === undefined) return sending.number;
    }
    return 0;
  }

  #answered(sending: Sending, attempt: number, result: Result): void {
    if (this.#isDead) return;
    const { cluster, trace } = this.#options;
    const nowMs = cluster.simulation.nowMs.toFixed(1);
    trace?.(`${nowMs} ${sending.token} attempt ${attempt}: ${describeResult(result)}`);
    const isFinal = result.kind === 'accepted' || ERRORS[result.code].retry === 'never';
    // While a later copy is on its way its answer counts, and no other one (sdk/client's lanes).
    if (sending.result === undefined && attempt !== sending.attempts) return;
    if (!isFinal) {
      const fullMs = Math.min(RETRY_MS * AGAIN_FACTOR ** (attempt - 1), RETRY_MS_MAX);
      const delayMs = fullMs * (0.5 + this.chance.below(1000) / 2000);
      cluster.simulation.schedule(delayMs, () => this.#retryLater(sending, attempt));
      return;
    }
    sending.answered(result, sending.result === undefined ? 'first' : 'again');
    sending.result ??= result;
    while (this.#sendings[this.#settled - 1]?.result !== undefined) this.#settled++;
  }

  #retryLater(sending: Sending, attempt: number): void {
    if (this.#isDead || sending.result !== undefined || sending.attempts !== attempt) return;
    this.#attempt(sending);
  }
}

export function describeResult(
  result: { readonly kind: string; readonly seq?: number } | (Result & { readonly kind: 'failed' }),
): string {
  return 'code' in result ? `${result.code} ${result.message}` : `${result.kind} ${result.seq}`;
}
