// Where messages go straightest, for clients: the leader of each document group and its address.

import { groupOf, SYSTEM_GROUP } from '@deltabase/machine';
import type { Route } from '../wire/send-stream-codec.js';
import type { Leaders } from './leaders.js';

export class Routes {
  readonly #leaders: Leaders;
  readonly #self: number;
  readonly #addressOf: (node: number) => string;

  constructor(options: {
    readonly leaders: Leaders;
    /** Where clients reach a node; empty: unknown. */
    readonly addressOf: (node: number) => string;
    readonly self: number;
  }) {
    const { leaders, addressOf, self } = options;
    this.#leaders = leaders;
    this.#self = self;
    this.#addressOf = addressOf;
  }

  /** How many document groups there are. */
  get groups(): number {
    return this.#leaders.all.length - 1;
  }

  /** Every document group. */
  all(): number[] {
    return [...this.#leaders.all.keys()].slice(SYSTEM_GROUP + 1);
  }

  of(group: number): Route {
    const node = this.#leaders.all[group] ?? 0;
    return { group, node, address: this.#addressOf(node) };
  }

  /** Where the messages of a document go straighter; `undefined`: they do not, or nobody knows. */
  elsewhere(space: string, key: string): Route | undefined {
    const route = this.of(groupOf(space, key, this.groups));
    return route.node === this.#self || route.node === 0 ? undefined : route;
  }

  /** Calls `listener` with the document groups that go elsewhere from now on. Returns how to stop it. */
  listen(listener: (groups: readonly number[]) => void): () => void {
    return this.#leaders.listen((changed) => {
      const groups = changed.filter((group) => group > SYSTEM_GROUP);
      if (groups.length > 0) listener(groups);
    });
  }
}
