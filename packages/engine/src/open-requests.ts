// Requests that wait for their answer. Each gets exactly one: its own, or, when the node stops first, that it
// does; none if it is dropped before.

import type { Failure } from './results.js';

export class OpenRequests {
  readonly #refusals = new Set<(why: Failure) => void>();

  /** Requests that are not answered. */
  get count(): number {
    return this.#refusals.size;
  }

  /** `answer` for a request that is open from now on; calls after the first one do nothing. */
  add<R>(answer: (result: R | Failure) => void): (result: R | Failure) => void {
    const once = (result: R | Failure): void => {
      if (this.#refusals.delete(once)) answer(result);
    };
    this.#refusals.add(once);
    return once;
  }

  /** Whether `answer` is one that was made here, and not called. */
  has(answer: (why: Failure) => void): boolean {
    return this.#refusals.has(answer);
  }

  /** Nobody waits for it any more: what calls it does nothing. */
  drop(answer: (why: Failure) => void): void {
    this.#refusals.delete(answer);
  }

  /** Answers all that are open. */
  close(why: Failure): void {
    for (const refuse of this.#refusals) refuse(why);
  }
}
