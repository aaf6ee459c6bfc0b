// How fresh what a process shows must be: held against what was committed when, whatever the clocks of the process say.

import assert from 'node:assert/strict';
import type { ReadMode, ReadResult } from '@deltabase/engine';
import type { Server } from '../cluster/server.js';
import type { CommitTimes } from './commit-times.js';

/** Somebody asks a process for a document. */
export interface Question {
  readonly server: Server;
  readonly space: string;
  readonly key: string;
  /** When, in virtual time and by the clock of the process, ms. */
  readonly atMs: number;
  readonly atOwnMs: number;
}

/** What is rounded off where clocks go at other rates, ms. */
const ROUNDED_MS = 0.01;

export class Freshness {
  readonly #times: CommitTimes;
  readonly #nowMs: () => number;

  constructor(times: CommitTimes, nowMs: () => number) {
    this.#times = times;
    this.#nowMs = nowMs;
  }

  ask(server: Server, space: string, key: string): Question {
    const atOwnMs = server.clock.monotonicMs;
    return { server, space, key, atMs: this.#nowMs(), atOwnMs };
  }

  /** A read was answered just now with the document at `seq`. */
  checkRead(question: Question, mode: ReadMode, seq: number, result: ReadResult): void {
    const { server, atMs, atOwnMs } = question;
    const { clock } = server;
    if (mode.kind === 'linearizable') this.#mustHold(question, seq, atMs, 'linearizable');
    if (mode.kind === 'stale' && mode.withinMs !== undefined) {
      const { withinMs } = mode;
      const ms = clock.momentOf(Math.max(0, atOwnMs - withinMs));
      this.#mustHold(question, seq, ms, `not older than ${withinMs} ms`);
    }
    const stalenessMs = result.kind === 'value' ? result.stalenessMs : undefined;
    if (stalenessMs === undefined) return;
    assert.ok(stalenessMs >= 0, `a staleness of ${stalenessMs} ms`);
    const ms = clock.momentOf(Math.max(0, clock.monotonicMs - stalenessMs));
    this.#mustHold(question, seq, ms, `said to be ${stalenessMs} ms old`);
  }

  /** A watch that was asked for begins with the state at `seq`. */
  checkState(question: Question, seq: number): void {
    this.#mustHold(question, seq, question.atMs, 'the state of a watch');
  }

  #mustHold({ server, space, key }: Question, seq: number, ms: number, what: string): void {
    const known = this.#times.seqBefore(space, key, ms - ROUNDED_MS);
    const place = `${server.name} shows ${key} at ${seq}, ${what}`;
    assert.ok(seq >= known, `${place}: at ${ms.toFixed(2)} ms ${known} was committed`);
  }
}
