// Which learners have caught up in which groups. Only the leader of a group can tell, and whoever leads the system
// group must know of all groups before a learner is to vote: so leaders tell it, for as long as there are learners.

import { Fields } from '../peers/fields.js';
import type { NodeId } from '../ports.js';

export interface StandingsHost {
  /** All groups, the system group among them. */
  groups(): readonly LedGroup[];
  /** Nodes that are learners by the document. */
  learners(): readonly NodeId[];
  /** Who leads the system group; 0: unknown. */
  systemLeader(): NodeId;
  readonly self: NodeId;
  send(to: NodeId, standing: unknown[]): void;
}

interface LedGroup {
  readonly id: number;
  readonly role: string;
  hasCaughtUp(node: NodeId): boolean;
}

/** What was heard longer ago says nothing any more. */
const FRESH_MS = 2000;

export class Standings {
  readonly #host: StandingsHost;
  /** By learner, then by group: when it was last said to have caught up. */
  #heardMs = new Map<NodeId, Map<number, number>>();

  constructor(host: StandingsHost) {
    this.#host = host;
  }

  /** Looks at the groups that this node leads, and tells who must know. */
  tick(nowMs: number): void {
    const learners = this.#host.learners();
    const leader = this.#host.systemLeader();
    if (leader !== this.#host.self || learners.length === 0) this.#heardMs.clear();
    if (learners.length === 0 || leader === 0) return;
    const led = this.#host.groups().filter(({ role }) => role === 'leader');
    for (const node of learners) {
      const groups = led.filter((group) => group.hasCaughtUp(node)).map(({ id }) => id);
      if (leader === this.#host.self) this.#hear(node, groups, nowMs);
      else if (groups.length > 0) this.#host.send(leader, [node, groups]);
    }
  }

  /** A leader says so. Throws DATA_CORRUPT for what is no standing. */
  heard(list: unknown, nowMs: number): void {
    const fields = new Fields(list);
    const node = fields.whole();
    const groups = fields.wholes();
    fields.end();
    if (this.#host.learners().includes(node)) this.#hear(node, groups, nowMs);
  }

  /** In how many groups a learner is not known to have caught up. */
  lagOf(node: NodeId, nowMs: number): number {
    const heard = this.#heardMs.get(node);
    return this.#host.groups().filter(({ id }) => nowMs - (heard?.get(id) ?? -Infinity) > FRESH_MS)
      .length;
  }

  #hear(node: NodeId, groups: readonly number[], nowMs: number): void {
    let heard = this.#heardMs.get(node);
    if (heard === undefined) {
      heard = new Map();
      this.#heardMs.set(node, heard);
    }
    for (const group of groups) {
      if (group < this.#host.groups().length) heard.set(group, nowMs);
    }
  }
}
