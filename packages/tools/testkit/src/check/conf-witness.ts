// Follows the configurations of all groups through their committed entries: they change one at a time and any two that
// follow each other have no quorums apart (Raft §6, thesis §4.1); every copy goes by the one at its place in the log;
// leaders have votes of that one's voters, each on its disk (docs/raft.md, pitfalls 7, 8, 12 and 16).

import assert from 'node:assert/strict';
import type { GroupPosition, NodeId } from '@deltabase/engine';
import {
  type ConfState,
  changeConf,
  decodeConfChange,
  type Entry,
  isRaftError,
  nodesOf,
  votersOnly,
} from 'raft-ts';
import { hasQuorum } from './quorum.js';
import type { StoredLogs } from './stored-logs.js';

/** What the witness of Raft knows besides (raft-witness.ts). */
export interface KnownLogs {
  readonly logs: StoredLogs;
  /** By index; the first is of index 1. `undefined`: nobody had it any more when it was looked for. */
  committed(group: number): ReadonlyArray<Entry | undefined>;
}

/** A configuration, and the entry that it begins with. */
interface Held {
  readonly from: number;
  readonly conf: ConfState;
}

interface GroupFacts {
  readonly held: Held[];
  /** How many committed entries were looked at. */
  seen: number;
  /** An entry that might have changed the configuration was never seen. */
  isUncertain: boolean;
  /** Terms whose leaders were looked at. */
  readonly terms: Set<number>;
}

/** A copy as it was looked at last: by which configuration it goes. */
interface Looked extends Pick<GroupPosition, 'conf' | 'role' | 'term'> {
  readonly at: number;
}

export class ConfWitness {
  readonly #known: KnownLogs;
  readonly #founders: readonly NodeId[];
  readonly #groups: GroupFacts[] = [];
  readonly #looked = new Map<NodeId, Looked[]>();

  constructor(known: KnownLogs, founders: readonly NodeId[]) {
    this.#known = known;
    this.#founders = founders;
  }

  /** A batch of a node is on stable storage. */
  durable(id: NodeId): void {
    for (const [group, { changes }] of this.#known.logs.of(id)) {
      if (changes.size < 2) continue;
      const commit = this.#known.committed(group).length;
      const open = [...changes].filter((index) => index > commit);
      assert.ok(
        open.length < 2,
        `node ${id} group ${group}: changes ${open} are under way at once, and ${commit} is committed`,
      );
    }
  }

  /** A node has taken a turn, and stands there now with groups that have. */
  worked(id: NodeId, positions: Iterable<readonly [group: number, position: GroupPosition]>): void {
    let looked = this.#looked.get(id);
    if (looked === undefined) {
      looked = [];
      this.#looked.set(id, looked);
    }
    for (const [group, position] of positions) {
      const facts = this.#follow(group);
      // Without an entry it may be of any cluster.
      if (position.applied === 0) continue;
      if (facts.isUncertain) learn(facts, position);
      else if (!isAsBefore(looked[group], position, facts.held)) {
        const { conf, role, term } = position;
        looked[group] = { conf, role, term, at: this.#check(id, group, position) };
      }
    }
  }

  /** A lost quorum was recovered from `node`: from here on every group is that node's alone. */
  recovered(node: NodeId): void {
    for (const group of this.#groups.keys()) {
      const { held, seen } = this.#follow(group);
      held.push({ from: seen, conf: votersOnly([node]) });
    }
  }

  /** The last two configurations of a group: anybody may go by them, or by a change that is not committed. */
  latest(group: number): readonly ConfState[] {
    return this.#follow(group)
      .held.slice(-2)
      .map(({ conf }) => conf);
  }

  /** Whether a group's configuration is joint, or a change is in anybody's log and not committed. */
  isChanging(group: number): boolean {
    const { held } = this.#follow(group);
    const commit = this.#known.committed(group).length;
    return (
      held.at(-1)!.conf.votersOutgoing.length > 0 ||
      this.#known.logs.any(group, ({ changes }) => [...changes].some((index) => index > commit))
    );
  }

  /** Whether a group is joint, or a change that makes it so is in anybody's log. */
  isJoint(group: number): boolean {
    const { conf } = this.#follow(group).held.at(-1)!;
    const commit = this.#known.committed(group).length;
    const makesJoint = ({ index, data }: Entry): boolean =>
      index > commit && (confAfter(conf, data)?.votersOutgoing.length ?? 0) > 0;
    return (
      conf.votersOutgoing.length > 0 ||
      this.#known.logs.any(group, ({ changes, entries }) =>
        [...changes].some((index) => makesJoint(entries.get(index)!)),
      )
    );
  }

  /** Which of the configurations a copy goes by. */
  #check(id: NodeId, group: number, { applied, conf, role, term }: GroupPosition): number {
    const { held, terms } = this.#facts(group);
    // A snapshot that is being put in place is ahead of what counts as applied.
    let at = held.length - 1;
    while (!isSameConf(held[at]!.conf, conf)) {
      assert.ok(
        held[at]!.from > applied && at > 0,
        `node ${id} group ${group}: at ${applied} it goes by ${JSON.stringify(conf)}, ` +
          `and not by ${JSON.stringify(held[at])}`,
      );
      at--;
    }
    if (role === 'leader' && !terms.has(term)) {
      terms.add(term);
      this.#checkVotes({ id, group, term }, conf);
    }
    return at;
  }

  #checkVotes(
    { id, group, term }: { readonly id: NodeId; readonly group: number; readonly term: number },
    conf: ConfState,
  ): void {
    const votedFor = (voter: NodeId): boolean =>
      this.#known.logs.everHeld(voter, group).some((log) => log.mayHaveVoted(term, id));
    assert.ok(
      hasQuorum(conf, votedFor),
      `node ${id} leads group ${group} in term ${term} without the votes of ${JSON.stringify(conf)}`,
    );
  }

  /** Takes in what was committed since. */
  #follow(group: number): GroupFacts {
    const facts = this.#facts(group);
    const committed = this.#known.committed(group);
    for (; facts.seen < committed.length; facts.seen++) {
      const entry = committed[facts.seen];
      if (entry === undefined) facts.isUncertain = true;
      else if (entry.type === 'confChange' && !facts.isUncertain) take(group, facts, entry);
    }
    return facts;
  }

  #facts(group: number): GroupFacts {
    let facts = this.#groups[group];
    if (facts === undefined) {
      const held = [{ from: 0, conf: votersOnly(this.#founders) }];
      facts = { held, seen: 0, isUncertain: false, terms: new Set() };
      this.#groups[group] = facts;
    }
    return facts;
  }
}

/** A change is committed. */
function take(group: number, { held }: GroupFacts, { index, data }: Entry): void {
  const { conf } = held.at(-1)!;
  const next = confAfter(conf, data);
  if (next === undefined) return;
  assert.ok(
    !haveDisjointQuorums(conf, next),
    `group ${group} entry ${index}: ${JSON.stringify(conf)} and ${JSON.stringify(next)} can decide apart`,
  );
  held.push({ from: index, conf: next });
}

/** `undefined`: the change does not fit, and nothing changes. */
function confAfter(conf: ConfState, data: Uint8Array): ConfState | undefined {
  try {
    return changeConf(conf, decodeConfChange(data));
  } catch (thrown) {
    if (isRaftError(thrown, 'ConfChangeInvalid')) return undefined;
    throw thrown;
  }
}

/** The first copy that has applied all that was committed tells how it goes on. */
function learn(facts: GroupFacts, { applied, conf }: GroupPosition): void {
  if (applied < facts.seen) return;
  facts.held.push({ from: applied, conf });
  facts.isUncertain = false;
}

/** Whether there are nodes that could decide by one configuration while all others decide by the other one. */
export function haveDisjointQuorums(a: ConfState, b: ConfState): boolean {
  const nodes = [...new Set([...nodesOf(a), ...nodesOf(b)])];
  for (let chosen = 0; chosen < 2 ** nodes.length; chosen++) {
    const isChosen = (id: NodeId): boolean => ((chosen >> nodes.indexOf(id)) & 1) === 1;
    if (hasQuorum(a, isChosen) && hasQuorum(b, (id) => !isChosen(id))) return true;
  }
  return false;
}

/** Whether a copy still goes by the configuration that it went by, rightly, when it was looked at last. */
function isAsBefore(
  before: Looked | undefined,
  { conf, role, term, applied }: GroupPosition,
  held: readonly Held[],
): boolean {
  if (before?.conf !== conf || before.role !== role || before.term !== term) return false;
  return applied < (held[before.at + 1]?.from ?? Infinity);
}

function isSameConf(a: ConfState, b: ConfState): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
