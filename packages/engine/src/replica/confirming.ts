// Linearizable points of live copies: whoever asks is called back once a copy is as far as the leader said, after the
// asking, that the document is. All that ask while one question is open share the next.

import type { Limits } from '@deltabase/base';
import type { Failure } from '../results.js';
import { SeqWaiters } from '../streams/seq-waiters.js';
import type { LiveCopy } from './live-copy.js';

/** `true`: the point is reached. `false`: it was not within the time the asker gave. */
type Confirmed = (reached: boolean) => void;

interface Asker {
  readonly expiresMs: number;
  readonly done: Confirmed;
}

interface Question {
  readonly number: number;
  readonly sentMs: number;
  readonly copies: readonly LiveCopy[];
  readonly askers: ReadonlyArray<readonly Asker[]>;
}

export interface ConfirmingHost {
  readonly limits: Pick<Limits, 'headsMax' | 'requestTimeoutMsMax'>;
  nowMs(): number;
  /** Sends a question to the present upstream; `false`: there is none. */
  ask(number: number, ids: readonly number[]): boolean;
  /** Asks for another turn. */
  wake(): void;
}

/** A copy is expected to come to a seq within so long, where nobody waits for it himself. */
const REACH_MS = 10_000;
const NOBODY: readonly Asker[] = [];

export class Confirming {
  readonly #host: ConfirmingHost;
  readonly #waiters = new SeqWaiters();
  #gathering = new Map<LiveCopy, Asker[]>();
  #question: Question | undefined;
  #latest = 0;

  constructor(host: ConfirmingHost) {
    this.#host = host;
  }

  /** When the question was sent that is open; `undefined`: none is. */
  get askedMs(): number | undefined {
    return this.#question?.sentMs;
  }

  request(copy: LiveCopy, expiresMs: number, done: Confirmed): void {
    this.#askersOf(copy).push({ expiresMs, done });
    this.#host.wake();
  }

  /** Has it asked how far `copy` must be, though nobody waits for that. */
  refresh(copy: LiveCopy): void {
    this.#askersOf(copy);
    this.#host.wake();
  }

  /** Sends the next question, if none is open. */
  turn(): void {
    if (this.#question !== undefined || this.#gathering.size === 0) return;
    const copies: LiveCopy[] = [];
    const askers: Array<readonly Asker[]> = [];
    for (const [copy, ofCopy] of this.#gathering) {
      if (copy.id === 0) continue;
      copies.push(copy);
      askers.push(ofCopy);
      if (copies.length === this.#host.limits.headsMax) break;
    }
    if (copies.length === 0) return;
    const number = this.#latest + 1;
    const ids = copies.map(({ id }) => id);
    if (!this.#host.ask(number, ids)) return;
    this.#latest = number;
    for (const copy of copies) this.#gathering.delete(copy);
    this.#question = { number, copies, askers, sentMs: this.#host.nowMs() };
  }

  /** The answer to a question: heads in the order of its copies. Returns whether it was the open one, and answered. */
  answered(number: number, seqs: readonly number[] | Failure): boolean {
    const question = this.#question;
    if (question?.number !== number) return false;
    if ('code' in seqs || seqs.length !== question.copies.length) {
      this.lost();
      return false;
    }
    this.#question = undefined;
    this.#host.wake();
    for (const [at, copy] of question.copies.entries()) {
      this.#awaitSeq(copy, seqs[at]!, question.sentMs, question.askers[at]!);
    }
    return true;
  }

  /** The open question will not be answered: it is asked again. */
  lost(): void {
    const question = this.#question;
    if (question === undefined) return;
    this.#question = undefined;
    for (const [at, copy] of question.copies.entries()) {
      const askers = question.askers[at]!;
      if (askers.length > 0) this.#askersOf(copy).push(...askers);
    }
    this.#host.wake();
  }

  /** Deltas were applied to `copy`. */
  changed(copy: LiveCopy): void {
    this.#waiters.changed(copy);
  }

  /** It is not kept any more: nobody is told that it is there. */
  dropped(copy: LiveCopy): void {
    for (const { done } of this.#gathering.get(copy) ?? NOBODY) done(false);
    this.#gathering.delete(copy);
  }

  tick(nowMs: number): void {
    this.#waiters.expire(nowMs);
    for (const [copy, askers] of this.#gathering) {
      const late = askers.filter(({ expiresMs }) => expiresMs <= nowMs);
      if (late.length === 0) continue;
      const rest = askers.filter(({ expiresMs }) => expiresMs > nowMs);
      if (rest.length === 0) this.#gathering.delete(copy);
      else this.#gathering.set(copy, rest);
      for (const { done } of late) done(false);
    }
  }

  #askersOf(copy: LiveCopy): Asker[] {
    let askers = this.#gathering.get(copy);
    if (askers === undefined) {
      askers = [];
      this.#gathering.set(copy, askers);
    }
    return askers;
  }

  /** At `seq`, `copy` holds all that was committed when the question was sent. */
  #awaitSeq(copy: LiveCopy, seq: number, sentMs: number, askers: readonly Asker[]): void {
    const reached = (): void => {
      copy.freshMs = Math.max(copy.freshMs, sentMs);
      for (const { done } of askers) done(true);
    };
    if (copy.document !== undefined && copy.seq >= seq) {
      reached();
      return;
    }
    const expiresMs = Math.max(
      this.#host.nowMs() + (askers.length === 0 ? REACH_MS : 0),
      ...askers.map((asker) => asker.expiresMs),
    );
    this.#waiters.add(copy, { seq, expiresMs }, (outcome) => {
      if (outcome === 'reached') reached();
      else for (const { done } of askers) done(false);
    });
  }
}
