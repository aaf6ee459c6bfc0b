// One direction between two nodes: what is on its way, in which order it arrives, and what keeps it.

import type { Lane } from '@deltabase/engine';

/** `cut`: frames are lost. `clogged`: they wait, and come all at once when it is whole again. */
export type LinkState = 'whole' | 'cut' | 'clogged';

export interface Waiting {
  readonly lane: Lane;
  readonly frame: Uint8Array;
}

export class Link {
  state: LinkState = 'whole';
  /** Counts connections: what was sent on an earlier one never arrives. */
  connection = 0;
  readonly clogged: Waiting[] = [];
  readonly #queuedBytes: Record<Lane, number> = { urgent: 0, bulk: 0 };
  readonly #lastArrivalMs: Record<Lane, number> = { urgent: 0, bulk: 0 };

  /** Bytes on their way. */
  queuedBytes(lane: Lane): number {
    return this.#queuedBytes[lane];
  }

  sent(lane: Lane, bytes: number): void {
    this.#queuedBytes[lane] += bytes;
  }

  arrived(lane: Lane, bytes: number): void {
    this.#queuedBytes[lane] -= bytes;
  }

  /** When a frame arrives that would at `atMs`, if it must not overtake any other of its lane. */
  inOrder(lane: Lane, atMs: number): number {
    const arrivalMs = Math.max(atMs, this.#lastArrivalMs[lane]);
    this.#lastArrivalMs[lane] = arrivalMs;
    return arrivalMs;
  }

  /** A new connection; whatever was on its way is lost. */
  reset(): void {
    this.connection++;
    this.clogged.length = 0;
    for (const lane of ['urgent', 'bulk'] as const) {
      this.#queuedBytes[lane] = 0;
      this.#lastArrivalMs[lane] = 0;
    }
  }
}
