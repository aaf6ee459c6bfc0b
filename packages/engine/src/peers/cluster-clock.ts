// What time it is, as most of the nodes see it. The time of a delta never goes back, and how old a session is goes
// by it, so one node whose clock is wrong must not set it: a jump ahead would stay for as long as it was wide. Each
// node tells the others its wall clock with every frame; the median counts, of two the earlier.

import type { Clock, Log, NodeId } from '../ports.js';

export interface ClusterClockOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** A clock that is off by more is worth a line in the log, ms. */
  readonly skewMsMax: number;
}

export class ClusterClock {
  readonly #options: ClusterClockOptions;
  /** By how much the wall clocks of peers are ahead of this node's monotonic clock, ms. */
  readonly #aheadMs = new Map<NodeId, number>();
  #isOff = false;

  constructor(options: ClusterClockOptions) {
    this.#options = options;
  }

  /** This node's own wall clock, for the others. */
  get ownWallMs(): number {
    return Math.max(0, Math.floor(this.#options.clock.wallMs()));
  }

  /** A peer says that its wall clock shows `wallMs`. */
  heard(peer: NodeId, wallMs: number): void {
    this.#aheadMs.set(peer, wallMs - this.#options.clock.monotonicMs());
  }

  /** A peer is one no more: its clock does not count. */
  forget(peer: NodeId): void {
    this.#aheadMs.delete(peer);
  }

  /** Milliseconds since 1970; may jump, but not because of one clock among three. */
  wallMs(): number {
    const nowMs = this.#options.clock.monotonicMs();
    const ahead = [this.ownWallMs - nowMs, ...this.#aheadMs.values()].sort((a, b) => a - b);
    return nowMs + ahead[(ahead.length - 1) >> 1]!;
  }

  /** Says in the log when this node's own clock goes wrong, and when it is right again. */
  check(): void {
    const { log, skewMsMax } = this.#options;
    const aheadMs = Math.round(this.ownWallMs - this.wallMs());
    const isOff = Math.abs(aheadMs) > skewMsMax;
    if (isOff === this.#isOff) return;
    this.#isOff = isOff;
    if (isOff) log.error('clock-wrong', { aheadMs });
    else log.info('clock-right', { aheadMs });
  }
}
