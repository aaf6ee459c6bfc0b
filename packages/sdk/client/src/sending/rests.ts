// Lanes that pause, by when they go on. After a failover thousands pause at once, so they share timers: one
// for each slot of a few milliseconds.

import type { World } from '../world.js';
import type { Lane } from './lane.js';

const SLOT_MS = 8;

export class Rests<L extends Lane> {
  readonly #world: World;
  readonly #resume: (lane: L) => void;
  readonly #slots = new Map<number, { readonly lanes: L[]; readonly cancel: () => void }>();

  constructor(world: World, resume: (lane: L) => void) {
    this.#world = world;
    this.#resume = resume;
  }

  /** Resumes `lane` after about `ms`, never earlier. */
  add(lane: L, ms: number): void {
    const nowMs = this.#world.nowMs();
    const slot = Math.ceil((nowMs + ms) / SLOT_MS);
    const waiting = this.#slots.get(slot);
    if (waiting !== undefined) {
      waiting.lanes.push(lane);
      return;
    }
    const cancel = this.#world.after(slot * SLOT_MS - nowMs, () => {
      const { lanes } = this.#slots.get(slot)!;
      this.#slots.delete(slot);
      for (const resting of lanes) this.#resume(resting);
    });
    this.#slots.set(slot, { lanes: [lane], cancel });
  }

  /** Resumes nobody any more. */
  close(): void {
    for (const { cancel } of this.#slots.values()) cancel();
    this.#slots.clear();
  }
}
