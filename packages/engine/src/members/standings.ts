// How far groups are with what the members document wants: which learners have caught up in which groups, and which
// configurations are as they are to be. Only the leader of a group can tell, since its copy is never behind; whoever
// leads the system group must know it of all groups before a change goes on (steering.ts). So leaders tell it, for as
// long as there are learners or voters come and go: [change, groups that are done, {learner, groups}, ...].

import { Fields } from '../peers/fields.js';
import type { NodeId } from '../ports.js';

export interface StandingsHost {
  /** All groups, the system group among them. */
  groups(): readonly LedGroup[];
  /** Nodes that are learners by the document. */
  learners(): readonly NodeId[];
  /** The number of the change for which voters come and go by the document; 0: none do. */
  change(): number;
  /** Who leads the system group; 0: unknown. */
  systemLeader(): NodeId;
  readonly self: NodeId;
  send(to: NodeId, standing: unknown[]): void;
}

interface LedGroup {
  readonly id: number;
  readonly role: string;
  /** Whether its configuration is, and stays, what the document as it is known here says. */
  readonly hasFollowed: boolean;
  hasCaughtUp(node: NodeId): boolean;
}

/** What the leaders of some groups say. */
interface Standing {
  readonly change: number;
  /** Groups that are as this change wants them. */
  readonly done: readonly number[];
  /** Groups in which a learner has caught up. */
  readonly caughtUp: ReadonlyArray<readonly [learner: NodeId, groups: readonly number[]]>;
}

/** When something was last said of a group. */
type Heard = Map<number, number>;

/** What was heard longer ago says nothing any more. */
const FRESH_MS = 2000;

export class Standings {
  readonly #host: StandingsHost;
  readonly #caughtUp = new Map<NodeId, Heard>();
  #done: { readonly change: number; readonly heard: Heard } = { change: 0, heard: new Map() };

  constructor(host: StandingsHost) {
    this.#host = host;
  }

  /** Looks at the groups that this node leads, and tells who must know. */
  tick(nowMs: number): void {
    const leader = this.#host.systemLeader();
    const learners = this.#host.learners();
    const isQuiet = learners.length === 0 && this.#host.change() === 0;
    if (leader !== this.#host.self || isQuiet) this.#forget();
    for (const node of this.#caughtUp.keys())
      if (!learners.includes(node)) this.#caughtUp.delete(node);
    if (isQuiet || leader === 0) return;
    const standing = this.#look();
    if (leader === this.#host.self) this.#take(standing, nowMs);
    else if (saysAnything(standing)) this.#host.send(leader, encode(standing));
  }

  /** A leader says so. Throws DATA_CORRUPT for what is no standing. */
  heard(list: unknown, nowMs: number): void {
    this.#take(decode(list), nowMs);
  }

  /** In how many groups a learner is not known to have caught up. */
  lagOf(node: NodeId, nowMs: number): number {
    return this.#host.groups().length - this.#count(this.#caughtUp.get(node), nowMs);
  }

  /** How many groups are known to be as a change wants them. */
  doneIn(change: number, nowMs: number): number {
    return change === this.#done.change ? this.#count(this.#done.heard, nowMs) : 0;
  }

  #look(): Standing {
    const { groups, learners, change } = this.#host;
    const led = groups().filter(({ role }) => role === 'leader');
    const number = change();
    const done = number === 0 ? [] : led.filter((group) => group.hasFollowed);
    return {
      change: number,
      done: done.map(({ id }) => id),
      caughtUp: learners().map((node) => [
        node,
        led.filter((group) => group.hasCaughtUp(node)).map(({ id }) => id),
      ]),
    };
  }

  #take({ change, done, caughtUp }: Standing, nowMs: number): void {
    const learners = this.#host.learners();
    for (const [node, groups] of caughtUp) {
      if (!learners.includes(node)) continue;
      const heard = this.#caughtUp.get(node) ?? new Map();
      this.#caughtUp.set(node, heard);
      this.#note(heard, groups, nowMs);
    }
    // Of another change it says nothing: the document here is older than there, or newer.
    if (change === 0 || change !== this.#host.change()) return;
    if (change !== this.#done.change) this.#done = { change, heard: new Map() };
    this.#note(this.#done.heard, done, nowMs);
  }

  #note(heard: Heard, groups: readonly number[], nowMs: number): void {
    for (const group of groups) {
      if (group < this.#host.groups().length) heard.set(group, nowMs);
    }
  }

  #count(heard: Heard | undefined, nowMs: number): number {
    const times = heard === undefined ? [] : [...heard.values()];
    return times.filter((atMs) => nowMs - atMs <= FRESH_MS).length;
  }

  #forget(): void {
    this.#caughtUp.clear();
    this.#done = { change: 0, heard: new Map() };
  }
}

function saysAnything({ done, caughtUp }: Standing): boolean {
  return done.length > 0 || caughtUp.some(([, groups]) => groups.length > 0);
}

function encode({ change, done, caughtUp }: Standing): unknown[] {
  return [change, done, ...caughtUp.flat()];
}

function decode(list: unknown): Standing {
  const fields = new Fields(list);
  const change = fields.whole();
  const done = fields.wholes();
  const caughtUp: Array<readonly [NodeId, readonly number[]]> = [];
  while (fields.left > 0) caughtUp.push([fields.whole(), fields.wholes()]);
  return { change, done, caughtUp };
}
