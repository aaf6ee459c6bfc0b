// The heads of documents: for each the seq that it had at some moment after the asking. Whoever holds copies of them
// waits until each is there, and then may answer linearizable reads (thesis §6.4): one question for many documents. Those
// of a group without a leader do not keep the others waiting: what is known is told, and the rest asked again.

import type { Limits } from '@deltabase/base';
import { nameProblem } from '../check-message.js';
import type { DocumentName } from '../documents/document-name.js';
import { OpenRequests } from '../open-requests.js';
import { type Failure, failure, overloaded } from '../results.js';
import type { DocumentSource } from './document-source.js';

export interface HeadsRequest {
  /** At most `headsMax` of them. */
  readonly names: readonly DocumentName[];
  /** Until when an answer is of use, by the monotonic clock, ms. */
  readonly expiresMs: number;
}

/** In the order of the names; 0: the document has had no message; `undefined`: nothing is known of it yet, ask again. */
export type HeadSeqs = ReadonlyArray<number | undefined>;

export interface HeadsResult {
  readonly kind: 'heads';
  readonly seqs: HeadSeqs;
}

type Answer = (result: HeadsResult | Failure) => void;

export interface HeadsHost {
  readonly limits: Limits;
  sourceOf(name: DocumentName): DocumentSource;
  nowMs(): number;
}

/** The others of a question are waited for as long again as the first one took, and at least so long, ms. */
const GRACE_MS_MIN = 50;

/** A question that is not answered. */
interface Question {
  readonly askedMs: number;
  readonly expiresMs: number;
  readonly seqs: Array<number | undefined>;
  /** Documents of which nothing was heard. */
  left: number;
  /** When the first head was there. */
  firstMs: number | undefined;
  /** What went wrong with one of them. */
  failure: Failure | undefined;
  readonly answer: Answer;
}

export class Heads {
  readonly #host: HeadsHost;
  readonly #open = new OpenRequests();
  readonly #questions = new Set<Question>();

  constructor(host: HeadsHost) {
    this.#host = host;
  }

  /** Questions that are not answered. */
  get openCount(): number {
    return this.#open.count;
  }

  ask({ names, expiresMs }: HeadsRequest, answer: Answer): void {
    const refusal = this.#refusal(names);
    if (refusal !== undefined) {
      answer(refusal);
      return;
    }
    const question: Question = {
      askedMs: this.#host.nowMs(),
      expiresMs,
      seqs: names.map(() => undefined),
      left: names.length,
      firstMs: undefined,
      failure: undefined,
      answer: this.#open.add(answer),
    };
    this.#questions.add(question);
    if (names.length === 0) this.#give(question);
    for (const [at, name] of names.entries()) this.#askOne(question, at, name, expiresMs);
  }

  /** Tells what is known where the rest takes longer, and that nothing is once an answer is of no use any more. */
  tick(nowMs: number): void {
    for (const question of this.#questions) {
      const { askedMs, firstMs = Number.POSITIVE_INFINITY, expiresMs } = question;
      const isLongEnough = nowMs - firstMs >= Math.max(GRACE_MS_MIN, firstMs - askedMs);
      if (isLongEnough || nowMs >= expiresMs) this.#give(question);
    }
  }

  close(why: Failure): void {
    this.#questions.clear();
    this.#open.close(why);
  }

  #askOne(question: Question, at: number, name: DocumentName, expiresMs: number): void {
    const source = this.#host.sourceOf(name);
    source.confirm(expiresMs, (reached) => {
      if (!reached) {
        this.#heard(
          question,
          failure('UNAVAILABLE', 'no leader confirmed the heads in time: ask again'),
        );
        return;
      }
      source.load((loaded) => {
        if (loaded === undefined) return;
        if (!('code' in loaded)) {
          question.seqs[at] = loaded.seq;
          question.firstMs ??= this.#host.nowMs();
        }
        this.#heard(question, 'code' in loaded ? loaded : undefined);
      });
    });
  }

  /** Of one document more something was heard, be it why there is no head. */
  #heard(question: Question, why: Failure | undefined): void {
    question.failure ??= why;
    if (--question.left === 0) this.#give(question);
  }

  #give(question: Question): void {
    if (!this.#questions.delete(question)) return;
    const { seqs, failure: why, answer } = question;
    const isNoneKnown = seqs.length > 0 && seqs.every((seq) => seq === undefined);
    answer(isNoneKnown ? (why ?? tooLate()) : { kind: 'heads', seqs });
  }

  #refusal(names: readonly DocumentName[]): Failure | undefined {
    const { headsMax, readQueueMax } = this.#host.limits;
    if (names.length > headsMax) {
      const why = `heads of ${names.length} documents were asked for, ${headsMax} can be: ask twice`;
      return failure('INVALID_ARGUMENT', why);
    }
    if (this.#open.count >= readQueueMax) return overloaded('too many heads are asked for');
    for (const { space, key } of names) {
      const problem = nameProblem(space, key, this.#host.limits);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }
}

function tooLate(): Failure {
  return failure('UNAVAILABLE', 'the documents did not come into memory in time: ask again');
}
