// Who leads each group, as this node sees it, looked up often and told to whoever asked only when it changes.

import type { Engine, NodeId } from '@deltabase/engine';

/** Called with the groups whose leader is another one now. */
export type LeadersListener = (changed: readonly number[]) => void;

const LOOK_MS = 50;

export class Leaders {
  readonly #engine: Engine;
  readonly #listeners = new Set<LeadersListener>();
  readonly #timer: ReturnType<typeof setInterval>;
  #leaders: readonly NodeId[];

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#leaders = engine.leaders();
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  /** The leader of each group, by the group's number; 0: unknown. */
  get all(): readonly NodeId[] {
    return this.#leaders;
  }

  /** Calls `listener` with every change from now on. Returns how to stop it. */
  listen(listener: LeadersListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#listeners.clear();
  }

  #look(): void {
    const before = this.#leaders;
    const now = this.#engine.leaders();
    this.#leaders = now;
    const changed = [...now.keys()].filter((group) => now[group] !== before[group]);
    if (changed.length === 0) return;
    for (const listener of this.#listeners) listener(changed);
  }
}
