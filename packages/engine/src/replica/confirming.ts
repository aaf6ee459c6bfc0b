// Linearizable points of live copies: whoever asks is called back once everything is in a copy that was committed when
// it asked. A leader says, through the upstream, how far each copy must be: one question for all that were asked about
// since the last one, and no further one while it is open.

import { assert, type Limits } from '@deltabase/base';
import type { Failure } from '../results.js';
import type { HeadSeqs } from '../streams/heads.js';
import type { LiveCopy } from './live-copy.js';

/** `late`: not within the time the asker gave. A failure: the copy is not kept any more, and why. */
export type Confirmation = 'reached' | 'late' | Failure;

interface Asker {
  /** When it asked; monotonic, ms. */
  readonly sinceMs: number;
  readonly expiresMs: number;
  readonly done: (outcome: Confirmation) => void;
}

interface Question {
  readonly number: number;
  readonly sentMs: number;
  readonly copies: readonly LiveCopy[];
}

export interface ConfirmingHost {
  readonly limits: Pick<Limits, 'headsMax'>;
  nowMs(): number;
  /** Sends a question to the present upstream; `false`: there is none. */
  ask(number: number, ids: readonly number[]): boolean;
  /** Asks for another turn. */
  wake(): void;
}

const NOBODY: readonly Asker[] = [];

export class Confirming {
  readonly #host: ConfirmingHost;
  /** Who waits for each copy. */
  readonly #askers = new Map<LiveCopy, Asker[]>();
  /** What the next question is about. */
  readonly #wanted = new Set<LiveCopy>();
  #question: Question | undefined;
  #latest = 0;

  constructor(host: ConfirmingHost) {
    this.#host = host;
  }

  /** When the question was sent that is open; `undefined`: none is. */
  get askedMs(): number | undefined {
    return this.#question?.sentMs;
  }

  /** Calls `done` once everything is in `copy` that is committed now. The copy is in use until then. */
  request(copy: LiveCopy, expiresMs: number, done: (outcome: Confirmation) => void): void {
    const asker: Asker = { sinceMs: this.#host.nowMs(), expiresMs, done };
    const others = this.#askers.get(copy);
    if (others === undefined) this.#askers.set(copy, [asker]);
    else others.push(asker);
    copy.watches++;
    this.refresh(copy);
  }

  /** Has it asked how far `copy` must be, though nobody waits for that. */
  refresh(copy: LiveCopy): void {
    this.#wanted.add(copy);
    this.#host.wake();
  }

  /** Sends the next question, if none is open. */
  turn(): void {
    if (this.#question !== undefined || this.#wanted.size === 0) return;
    const copies: LiveCopy[] = [];
    for (const copy of this.#wanted) {
      if (copies.length === this.#host.limits.headsMax) break;
      if (this.#isComing(copy)) this.#wanted.delete(copy);
      // What is not watched cannot be asked about yet.
      else if (copy.id !== 0) copies.push(copy);
    }
    if (copies.length === 0) return;
    const number = this.#latest + 1;
    const sentMs = this.#host.nowMs();
    const ids = copies.map(({ id }) => id);
    if (!this.#host.ask(number, ids)) return;
    this.#latest = number;
    for (const copy of copies) this.#wanted.delete(copy);
    this.#question = { number, sentMs, copies };
  }

  /** The answer to a question: heads in the order of its copies. Returns whether it was the open one, and answered. */
  answered(number: number, seqs: HeadSeqs | Failure): boolean {
    const question = this.#question;
    if (question?.number !== number) return false;
    if ('code' in seqs || seqs.length !== question.copies.length) {
      this.lost();
      return false;
    }
    this.#question = undefined;
    this.#host.wake();
    for (const [at, copy] of question.copies.entries()) {
      const seq = seqs[at];
      if (seq === undefined) {
        this.#askAgain(copy);
        continue;
      }
      copy.isFreshAt(seq, question.sentMs);
      this.changed(copy);
    }
    return true;
  }

  /** The open question will not be answered: what somebody waits for is asked again. */
  lost(): void {
    const question = this.#question;
    if (question === undefined) return;
    this.#question = undefined;
    for (const copy of question.copies) this.#askAgain(copy);
    this.#host.wake();
  }

  /** `copy` holds more than before, or is known to be as it was later. */
  changed(copy: LiveCopy): void {
    this.#settle(copy, 'reached', ({ sinceMs }) => sinceMs <= copy.freshMs);
  }

  /** It is not kept any more. What somebody waits for is kept, unless it fails. */
  dropped(copy: LiveCopy, why: Failure | undefined): void {
    this.#wanted.delete(copy);
    if (!this.#askers.has(copy)) return;
    assert(why !== undefined, 'a copy that somebody waits for is in use');
    this.#settle(copy, why, () => true);
  }

  tick(nowMs: number): void {
    for (const copy of this.#askers.keys()) {
      this.#settle(copy, 'late', ({ expiresMs }) => expiresMs <= nowMs);
    }
  }

  /** What nobody waits for is not asked again. */
  #askAgain(copy: LiveCopy): void {
    if (this.#askers.has(copy)) this.#wanted.add(copy);
  }

  /** Its first state is on its way, and was asked for after everybody who waits for it had asked. */
  #isComing(copy: LiveCopy): boolean {
    if (copy.document !== undefined) return false;
    const askers = this.#askers.get(copy) ?? NOBODY;
    return copy.id === 0 || askers.every(({ sinceMs }) => sinceMs <= copy.askedMs);
  }

  #settle(copy: LiveCopy, outcome: Confirmation, is: (asker: Asker) => boolean): void {
    const askers = this.#askers.get(copy);
    if (askers === undefined) return;
    const settled = askers.filter(is);
    if (settled.length === 0) return;
    const rest = askers.filter((asker) => !is(asker));
    if (rest.length === 0) this.#askers.delete(copy);
    else this.#askers.set(copy, rest);
    copy.watches -= settled.length;
    for (const { done } of settled) done(outcome);
  }
}
