// The watchers of one value, in a process of their own, from outside.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Place } from './watched.js';

export interface FleetPlan {
  readonly place: Place;
  readonly watchers: number;
  /** They are spread over so many, and these over the nodes. */
  readonly connections: number;
  /** One stream a connection carries all its watches; else each has its own. */
  readonly shareStreams: boolean;
}

/** How late versions reached watchers, over all of both. */
export interface Lateness {
  readonly delivered: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export type FleetOrder =
  | { readonly kind: 'open'; readonly plan: FleetPlan }
  | { readonly kind: 'begin'; readonly first: number; readonly count: number }
  | { readonly kind: 'reach'; readonly version: number }
  | { readonly kind: 'report'; readonly sentMs: readonly number[] };

export type FleetAnswer =
  | { readonly kind: 'done' }
  | { readonly kind: 'report'; readonly lateness: Lateness; readonly values: readonly string[] }
  | { readonly kind: 'failed'; readonly why: string };

const PROGRAM = fileURLToPath(new URL('./fleet-process.js', import.meta.url));
const ANSWER_MS = 60_000;

export class Fleet {
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown>;

  /** Starts the process and opens the watches; resolves when each has begun. */
  static async open(plan: FleetPlan): Promise<Fleet> {
    const fleet = new Fleet(fork(PROGRAM));
    try {
      await fleet.#ask({ kind: 'open', plan });
    } catch (thrown) {
      await fleet.close();
      throw thrown;
    }
    return fleet;
  }

  private constructor(child: ChildProcess) {
    this.#process = child;
    this.#exited = once(child, 'exit');
  }

  get pid(): number {
    return this.#process.pid!;
  }

  /** From now on versions `[first, first + count)` are measured. */
  async begin(first: number, count: number): Promise<void> {
    await this.#ask({ kind: 'begin', first, count });
  }

  /** Resolves when every watcher has come so far. */
  async reached(version: number): Promise<void> {
    await this.#ask({ kind: 'reach', version });
  }

  /** How late the measured versions came, which were sent at these times, and the values that watchers have now. */
  async report(
    sentMs: readonly number[],
  ): Promise<{ readonly lateness: Lateness; readonly values: readonly string[] }> {
    const answer = await this.#ask({ kind: 'report', sentMs });
    if (answer.kind !== 'report') throw new Error(`the watchers answered ${answer.kind}`);
    return answer;
  }

  async close(): Promise<void> {
    this.#process.kill();
    await this.#exited;
  }

  async #ask(order: FleetOrder): Promise<FleetAnswer> {
    const answered = once(this.#process, 'message', { signal: AbortSignal.timeout(ANSWER_MS) });
    this.#process.send(order);
    const exited = this.#exited.then(() => [{ kind: 'failed', why: 'their process ended' }]);
    const [answer] = (await Promise.race([answered, exited])) as [FleetAnswer];
    if (answer.kind === 'failed') throw new Error(`the watchers: ${answer.why}`);
    return answer;
  }
}
