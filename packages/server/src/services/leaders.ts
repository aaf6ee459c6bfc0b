// Who leads each group, as this node sees it; told to whoever asked when it changes. When a node is lost hundreds of
// groups change within moments, so changes are gathered for a little.

import type { Engine, NodeId } from '@deltabase/engine';

/** Called with the groups whose leader is another one now. */
export type LeadersListener = (changed: readonly number[]) => void;

const GATHER_MS = 20;

export class Leaders {
  readonly #listeners = new Set<LeadersListener>();
  readonly #all: NodeId[];
  #changed = new Set<number>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(engine: Pick<Engine, 'leaders' | 'followLeaders'>) {
    this.#all = engine.leaders();
    engine.followLeaders((group, leader) => this.#follow(group, leader));
  }

  /** The leader of each group, by the group's number; 0: unknown. */
  get all(): readonly NodeId[] {
    return this.#all;
  }

  /** Calls `listener` with every change from now on. Returns how to stop it. */
  listen(listener: LeadersListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#listeners.clear();
  }

  #follow(group: number, leader: NodeId): void {
    if (this.#all[group] === leader) return;
    this.#all[group] = leader;
    this.#changed.add(group);
    this.#timer ??= setTimeout(() => this.#tell(), GATHER_MS);
  }

  #tell(): void {
    const changed = [...this.#changed];
    this.#changed.clear();
    this.#timer = undefined;
    for (const listener of this.#listeners) listener(changed);
  }
}
