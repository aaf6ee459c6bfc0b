// Records what clients do to one object and what they are told, in the order in which it happens: the history
// that linearizability.ts decides about.

import assert from 'node:assert/strict';
import type { Operation } from './linearizability.js';

/** Moments for the histories of all objects of a run. */
export class Moments {
  #now = 0;

  next(): number {
    this.#now++;
    return this.#now;
  }
}

/** An operation from its call to its end. */
export interface Call<Output> {
  /** Its client was told how it ended. */
  answered(output: Output): void;
  /** It is certain that it had no effect and never will have any. */
  failed(): void;
}

interface Recorded<Input, Output> extends Operation<Input, Output> {
  answer: { readonly at: number; readonly output: Output } | undefined;
}

export class OperationLog<Input, Output> {
  readonly #moments: Moments;
  readonly #operations = new Set<Recorded<Input, Output>>();

  constructor(moments = new Moments()) {
    this.#moments = moments;
  }

  /** All but those that failed for certain. */
  get operations(): Operation<Input, Output>[] {
    return [...this.#operations];
  }

  /** A client begins an operation; without a word about its end it stays open. */
  call(input: Input): Call<Output> {
    return this.#begin(input, this.#moments.next());
  }

  /** Somebody was shown what was true at some moment until now, though perhaps not of late. */
  shown(input: Input, output: Output): void {
    this.#begin(input, 0).answered(output);
  }

  #begin(input: Input, calledAt: number): Call<Output> {
    const operation: Recorded<Input, Output> = { input, calledAt, answer: undefined };
    this.#operations.add(operation);
    return {
      answered: (output) => {
        assert.ok(operation.answer === undefined, 'an operation ends once');
        operation.answer = { at: this.#moments.next(), output };
      },
      failed: () => {
        assert.ok(operation.answer === undefined, 'an operation that was answered has not failed');
        this.#operations.delete(operation);
      },
    };
  }
}
