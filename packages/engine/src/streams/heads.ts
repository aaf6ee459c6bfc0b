// The heads of documents: for each the seq that it had at some moment after the asking. Whoever holds copies of them
// waits until each is there, and then may answer linearizable reads (thesis §6.4): one question for many documents.

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

export interface HeadsResult {
  readonly kind: 'heads';
  /** In the order of the names; 0 for a document that has had no message. */
  readonly seqs: readonly number[];
}

type Answer = (result: HeadsResult | Failure) => void;

export class Heads {
  readonly #limits: Limits;
  readonly #sourceOf: (name: DocumentName) => DocumentSource;
  readonly #open = new OpenRequests();

  constructor(limits: Limits, sourceOf: (name: DocumentName) => DocumentSource) {
    this.#limits = limits;
    this.#sourceOf = sourceOf;
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
    const once = this.#open.add(answer);
    const seqs = names.map(() => 0);
    let left = names.length;
    const found = (): void => {
      if (--left === 0) once({ kind: 'heads', seqs });
    };
    if (names.length === 0) once({ kind: 'heads', seqs });
    for (const [at, name] of names.entries()) {
      const source = this.#sourceOf(name);
      source.confirm(expiresMs, (reached) => {
        if (!reached) {
          once(failure('UNAVAILABLE', 'no leader confirmed the heads in time: ask again'));
          return;
        }
        source.load((loaded) => {
          if (loaded === undefined) return;
          if ('code' in loaded) {
            once(loaded);
            return;
          }
          seqs[at] = loaded.seq;
          found();
        });
      });
    }
  }

  close(why: Failure): void {
    this.#open.close(why);
  }

  #refusal(names: readonly DocumentName[]): Failure | undefined {
    const { headsMax, readQueueMax } = this.#limits;
    if (names.length > headsMax) {
      const why = `heads of ${names.length} documents were asked for, ${headsMax} can be: ask twice`;
      return failure('INVALID_ARGUMENT', why);
    }
    if (this.#open.count >= readQueueMax) return overloaded('too many heads are asked for');
    for (const { space, key } of names) {
      const problem = nameProblem(space, key, this.#limits);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }
}
