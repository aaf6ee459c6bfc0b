// Linearizable points of live copies: whoever asks is called back once everything is in a copy that was committed when
// it asked. A leader says, through the upstream, how far each copy must be: one question for all that were asked about
// since the last one. Two may be open, never both about one copy: copies of which nothing is heard (their group has no
// leader) are doubtful, and share a question of their own: others wait for them once, and not for long.

import { assert, type Limits } from '@deltabase/base';
import type { Expiring } from '../expiring.js';
import type { Failure } from '../results.js';
import type { HeadSeqs } from '../streams/heads.js';
import type { LiveCopy } from './live-copy.js';

/** `late`: not within the time the asker gave. A failure: the copy is not kept any more, or nobody can be asked, and why. */
export type Confirmation = 'reached' | 'late' | Failure;

interface Asker extends Expiring {
  /** When it asked; monotonic, ms. */
  readonly sinceMs: number;
  readonly done: (outcome: Confirmation) => void;
}

/** A question that is not answered. */
export interface OpenQuestion {
  /** Monotonic, ms. */
  readonly sentMs: number;
  /** How long the upstream may look for heads. */
  readonly timeoutMs: number;
}

interface Question extends OpenQuestion {
  readonly number: number;
  readonly copies: ReadonlySet<LiveCopy>;
  /** Those of them that must be asked about once more. */
  readonly again: Set<LiveCopy>;
}

export interface ConfirmingHost {
  readonly limits: Pick<Limits, 'headsMax'>;
  nowMs(): number;
  /** Sends a question to the present upstream; `false`: there is none. */
  ask(number: number, ids: readonly number[], timeoutMs: number): boolean;
  /** Asks for another turn. */
  wake(): void;
}

/** Copies whose heads do not come within so long are doubtful from then on. */
export const PROMPT_MS = 200;
/** How long an upstream may look for heads of doubtful copies. */
export const DOUBTFUL_MS = 1000;

const NOBODY: readonly Asker[] = [];

export class Confirming {
  readonly #host: ConfirmingHost;
  /** Who waits for each copy. */
  readonly #askers = new Map<LiveCopy, Asker[]>();
  /** What the next questions are about: copies that no open one is about. */
  readonly #wanted = new Set<LiveCopy>();
  readonly #wantedDoubtful = new Set<LiveCopy>();
  #prompt: Question | undefined;
  #doubtful: Question | undefined;
  #latest = 0;

  constructor(host: ConfirmingHost) {
    this.#host = host;
  }

  /** When the question was sent that is open longest; `undefined`: none is. */
  get askedMs(): number | undefined {
    const open = this.#open();
    return open.length === 0 ? undefined : Math.min(...open.map(({ sentMs }) => sentMs));
  }

  /** The open question of this number. */
  question(number: number): OpenQuestion | undefined {
    return this.#numbered(number);
  }

  /** Calls `done` once everything is in `copy` that is committed now. The copy is in use until then. */
  request(copy: LiveCopy, expiresMs: number, done: (outcome: Confirmation) => void): Expiring {
    const asker: Asker = { sinceMs: this.#host.nowMs(), expiresMs, done };
    const others = this.#askers.get(copy);
    if (others === undefined) this.#askers.set(copy, [asker]);
    else others.push(asker);
    copy.watches++;
    this.refresh(copy);
    return asker;
  }

  /** Has it asked how far `copy` must be, though nobody waits for that. */
  refresh(copy: LiveCopy): void {
    const question = this.#open().find(({ copies }) => copies.has(copy));
    if (question === undefined) this.#want(copy);
    else question.again.add(copy);
    this.#host.wake();
  }

  /** Sends what questions there is room for. */
  turn(): void {
    this.#doubtful ??= this.#ask(this.#wantedDoubtful, DOUBTFUL_MS);
    if (this.#prompt !== undefined && this.#doubtful !== undefined) return;
    const next = this.#ask(this.#wanted, PROMPT_MS);
    if (next === undefined) return;
    // Nobody knows yet whether the open one is about groups without a leader: others do not wait to see.
    this.#doubtful ??= this.#prompt;
    this.#prompt = next;
  }

  /** The answer to a question: heads in the order of its copies. Returns whether it was open, and answered. */
  answered(number: number, seqs: HeadSeqs | Failure): boolean {
    const question = this.#numbered(number);
    if (question === undefined) return false;
    this.#close(question);
    const isAnswer = !('code' in seqs) && seqs.length === question.copies.size;
    const isLate = this.#host.nowMs() - question.sentMs > PROMPT_MS;
    const told = [...question.copies].map((copy, at) => ({
      copy,
      seq: isAnswer ? seqs[at] : undefined,
    }));
    for (const { copy, seq } of told) {
      copy.isDoubtful = isLate || seq === undefined;
      this.#askAgain(copy, question, seq === undefined);
    }
    for (const { copy, seq } of told) {
      if (seq === undefined) continue;
      copy.isFreshAt(seq, question.sentMs);
      this.changed(copy);
    }
    return isAnswer;
  }

  /** The open questions will not be answered: what somebody waits for is asked again. */
  lost(): void {
    for (const question of this.#open()) {
      this.#close(question);
      for (const copy of question.copies) this.#askAgain(copy, question, true);
    }
  }

  /** Nobody can be asked, and that has been so for long: who waits is told. */
  cutOff(why: Failure): void {
    for (const copy of this.#askers.keys()) this.#settle(copy, why, () => true);
  }

  /** `copy` holds more than before, or is known to be as it was later. */
  changed(copy: LiveCopy): void {
    this.#settle(copy, 'reached', ({ sinceMs }) => sinceMs <= copy.freshMs);
  }

  /** It is not kept any more. What somebody waits for is kept, unless it fails. */
  dropped(copy: LiveCopy, why: Failure | undefined): void {
    this.#wanted.delete(copy);
    this.#wantedDoubtful.delete(copy);
    for (const { again } of this.#open()) again.delete(copy);
    if (!this.#askers.has(copy)) return;
    assert(why !== undefined, 'a copy that somebody waits for is in use');
    this.#settle(copy, why, () => true);
  }

  tick(nowMs: number): void {
    for (const copy of this.#askers.keys()) {
      this.#settle(copy, 'late', ({ expiresMs }) => expiresMs <= nowMs);
    }
  }

  /** Asks about wanted copies; `undefined`: there are none that can be asked about, or there is no upstream. */
  #ask(wanted: Set<LiveCopy>, timeoutMs: number): Question | undefined {
    const copies = new Set<LiveCopy>();
    for (const copy of wanted) {
      if (copies.size === this.#host.limits.headsMax) break;
      if (this.#isComing(copy)) wanted.delete(copy);
      // What is not watched cannot be asked about yet.
      else if (copy.id !== 0) copies.add(copy);
    }
    if (copies.size === 0) return undefined;
    const number = this.#latest + 1;
    const sentMs = this.#host.nowMs();
    const ids = Array.from(copies, ({ id }) => id);
    if (!this.#host.ask(number, ids, timeoutMs)) return undefined;
    this.#latest = number;
    for (const copy of copies) wanted.delete(copy);
    return { number, sentMs, timeoutMs, copies, again: new Set() };
  }

  #open(): Question[] {
    return [this.#prompt, this.#doubtful].filter((question) => question !== undefined);
  }

  #numbered(number: number): Question | undefined {
    return this.#open().find((question) => question.number === number);
  }

  #close(question: Question): void {
    if (this.#prompt === question) this.#prompt = undefined;
    else this.#doubtful = undefined;
    this.#host.wake();
  }

  /** Who asked during a question was not answered by it. What nobody waits for is not asked again because it failed. */
  #askAgain(copy: LiveCopy, { again }: Question, hasFailed: boolean): void {
    if (again.has(copy) || (hasFailed && this.#askers.has(copy))) this.#want(copy);
  }

  #want(copy: LiveCopy): void {
    (copy.isDoubtful ? this.#wantedDoubtful : this.#wanted).add(copy);
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
