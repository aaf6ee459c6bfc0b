// Keeps the answers it gets.

import type { AnswerSink, Result } from '../../src/results.js';

export class RecordingSink implements AnswerSink {
  readonly answers: Array<{ readonly tag: number; readonly result: Result }> = [];
  flushes = 0;

  answer(tag: number, result: Result): void {
    this.answers.push({ tag, result });
  }

  flush(): void {
    this.flushes++;
  }

  get tags(): number[] {
    return this.answers.map(({ tag }) => tag);
  }

  /** Each answer as `accepted` or the code of its failure. */
  get codes(): string[] {
    return this.answers.map(({ result }) => (result.kind === 'failed' ? result.code : result.kind));
  }
}
