// Calls other than sending: made on one node, and on another one if that cannot answer, until there is an
// answer, an error that is final, or no time left.

import { DeltabaseError } from '@deltabase/base';
import { pauseMs } from '../backoff.js';
import type { Endpoint } from '../cluster/endpoint.js';
import type { Topology } from '../cluster/topology.js';
import type { ClientLimits } from '../limits.js';
import type { Link } from '../transport/transport.js';
import type { World } from '../world.js';

/** How long a call may take and who may stop it. */
export interface Patience {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface AttemptsOptions {
  readonly world: World;
  readonly limits: ClientLimits;
  readonly topology: Topology;
}

/** What a call is about: a document, whose group may be found out later only, or a group by its number. */
export type About = { readonly space: string; readonly key: string } | number;

/** Where a call may be made. */
export interface Places {
  /** On the leader of this first. */
  readonly about?: About;
  /** Bounds each try. */
  readonly attemptMs?: number;
  /** It is of use also at a replica that is cut off from the cluster, where there is no other way. */
  readonly atCutOff?: boolean;
}

/** One try of a call: on `link`, with `timeoutMs` left for it. */
export type Try<T> = (link: Link, timeoutMs: number) => Promise<T>;

export class Attempts {
  readonly #options: AttemptsOptions;
  /** Wakes those who wait. */
  readonly #waiting = new Set<() => void>();
  #isClosed = false;

  constructor(options: AttemptsOptions) {
    this.#options = options;
  }

  /** No further attempt is made: whoever is about to gets CANCELLED, also who waits. */
  close(): void {
    this.#isClosed = true;
    for (const wake of this.#waiting) wake();
  }

  /** Runs `once` until it succeeds. Throws the error that is final, or DEADLINE_EXCEEDED with the last one as its cause. */
  async run<T>({ timeoutMs, signal }: Patience, places: Places, once: Try<T>): Promise<T> {
    const { world } = this.#options;
    const { attemptMs } = places;
    const untilMs = world.nowMs() + timeoutMs;
    let last: DeltabaseError | undefined;
    for (let attempt = 0; ; attempt++) {
      if (attempt > 0) await this.rest(attempt, untilMs - world.nowMs(), signal);
      const find = (): Endpoint | undefined => this.#find(places, attempt);
      const endpoint = await this.#await(find, untilMs, signal, last);
      const leftMs = Math.min(untilMs - world.nowMs(), attemptMs ?? Infinity);
      if (leftMs <= 0) throw this.#tooLate(timeoutMs, last);
      try {
        return await once(endpoint.link, Math.ceil(leftMs));
      } catch (thrown) {
        last = mendable(thrown);
        if (untilMs - world.nowMs() <= 0) throw this.#tooLate(timeoutMs, last);
      }
    }
  }

  /**
   * An endpoint that can be used: the leader's on the first attempt, then others in turn. Waits for one until
   * `untilMs`, then throws UNAVAILABLE, or `last` if there is one.
   */
  async endpoint(
    about: About,
    attempt: number,
    untilMs: number,
    signal: AbortSignal | undefined,
    last?: DeltabaseError,
  ): Promise<Endpoint> {
    return this.#await(() => this.#find({ about }, attempt), untilMs, signal, last);
  }

  /** Waits until a call could be made at `places`. Throws as `endpoint`. */
  async reached(places: Places, untilMs: number, signal: AbortSignal | undefined): Promise<void> {
    await this.#await(() => this.#find(places, 0), untilMs, signal, undefined);
  }

  #find({ about, atCutOff = false }: Places, attempt: number): Endpoint | undefined {
    const { topology } = this.#options;
    const group = typeof about === 'object' ? topology.groupOf(about.space, about.key) : about;
    const leader = attempt === 0 && group !== undefined ? topology.leaderOf(group) : undefined;
    const endpoint = leader ?? topology.endpointFor(group ?? 0, attempt);
    return endpoint ?? (atCutOff ? topology.cutOffReplica(attempt) : undefined);
  }

  async #await(
    find: () => Endpoint | undefined,
    untilMs: number,
    signal: AbortSignal | undefined,
    last: DeltabaseError | undefined,
  ): Promise<Endpoint> {
    const { world, topology } = this.#options;
    for (;;) {
      throwIfAborted(signal);
      this.#throwIfClosed();
      const endpoint = find();
      if (endpoint !== undefined) return endpoint;
      const leftMs = untilMs - world.nowMs();
      if (leftMs <= 0) throw last ?? topology.unreachable();
      await this.changed(leftMs, signal);
    }
  }

  /** A pause before the next attempt; not longer than `leftMs`. */
  async rest(attempt: number, leftMs: number, signal: AbortSignal | undefined): Promise<void> {
    const { world, limits } = this.#options;
    const { retryMsMin: minMs, retryMsMax: maxMs } = limits;
    const ms = pauseMs(attempt, { minMs, maxMs }, world.random());
    await this.#wait(Math.max(0, Math.min(ms, leftMs)), signal, () => {});
  }

  /** Waits until something changes in what can be used; not longer than `leftMs`. */
  async changed(leftMs: number, signal: AbortSignal | undefined): Promise<void> {
    await this.#wait(leftMs, signal, (wake) => this.#options.topology.whenChanged(wake));
  }

  async #wait(
    ms: number,
    signal: AbortSignal | undefined,
    listen: (wake: () => void) => void,
  ): Promise<void> {
    this.#throwIfClosed();
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        cancel();
        signal?.removeEventListener('abort', wake);
        this.#waiting.delete(wake);
        resolve();
      };
      const cancel = this.#options.world.after(ms, wake);
      signal?.addEventListener('abort', wake, { once: true });
      this.#waiting.add(wake);
      listen(wake);
    });
    throwIfAborted(signal);
    this.#throwIfClosed();
  }

  #throwIfClosed(): void {
    if (!this.#isClosed) return;
    throw new DeltabaseError('CANCELLED', 'the client was closed');
  }

  #tooLate(timeoutMs: number, last: DeltabaseError | undefined): DeltabaseError {
    const why = last === undefined ? '' : ` (last: ${last.message})`;
    return new DeltabaseError(
      'DEADLINE_EXCEEDED',
      `no answer within ${Math.ceil(timeoutMs)} ms${why}`,
      {
        cause: last,
      },
    );
  }
}

/** `thrown` if asking again may help by the errors table; throws it otherwise. */
export function mendable(thrown: unknown): DeltabaseError {
  if (thrown instanceof DeltabaseError && thrown.retry !== 'never') return thrown;
  throw thrown;
}

/** Throws CANCELLED if `signal` is aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  throw new DeltabaseError('CANCELLED', 'the caller gave up', { cause: signal.reason });
}
