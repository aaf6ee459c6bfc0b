// Looks at a node after each of its turns for what Raft promises: one leader in a term (ElectionSafety), committed
// entries that are on a quorum's disks, the same everywhere and for ever (LogMatching, StateMachineSafety), leaders
// that have all of them (LeaderCompleteness), places that never go back; and that none sleeps with something to do.

import assert from 'node:assert/strict';
import type { DiskOperation, GroupPosition, NodeId } from '@deltabase/engine';
import type { ConfState, Entry } from 'raft-ts';
import type { SortedMap } from '../disk/sorted-map.js';
import { hasQuorum } from './quorum.js';
import { StoredLogs } from './stored-logs.js';

/** What is known of a group. */
interface GroupFacts {
  /** By term. */
  readonly leaders: Map<number, NodeId>;
  /** By index; the first is of index 1. `undefined`: it was in nobody's log any more when it was looked for. */
  readonly committed: Array<Entry | undefined>;
  /** The term of the node that was first seen to know that each of them is committed. */
  readonly committedIn: number[];
}

/** Where a copy stood when it was looked at last. */
interface Seen {
  readonly life: number;
  readonly position: GroupPosition;
}

export class RaftWitness {
  readonly logs = new StoredLogs();
  readonly #groups: GroupFacts[] = [];
  readonly #seen = new Map<NodeId, Seen[]>();

  /** What is committed in a group, as far as anybody has seen it; the first is of index 1. */
  committed(group: number): ReadonlyArray<Entry | undefined> {
    return this.#facts(group).committed;
  }

  /** A batch of a node is on stable storage. */
  durable(id: NodeId, batch: readonly DiskOperation[]): void {
    this.logs.durable(id, batch);
  }

  /** A node finds other rows on its disk. */
  replaced(id: NodeId, rows: SortedMap): void {
    this.logs.replaced(id, rows);
  }

  /** A node has taken a turn in its `life`, and stands there now with groups that have. */
  worked(
    id: NodeId,
    life: number,
    positions: Iterable<readonly [group: number, position: GroupPosition]>,
  ): void {
    let seen = this.#seen.get(id);
    if (seen === undefined) {
      seen = [];
      this.#seen.set(id, seen);
    }
    for (const [group, position] of positions) {
      const before = seen[group];
      const isSameLife = before?.life === life;
      if (isSameLife && isSamePlace(before.position, position)) continue;
      this.#look(id, group, { position, before: isSameLife ? before.position : undefined });
      seen[group] = { life, position };
    }
  }

  #look(
    id: NodeId,
    group: number,
    { position, before }: { position: GroupPosition; before: GroupPosition | undefined },
  ): void {
    const place = `node ${id} group ${group}`;
    const { term, commit, applied, lastIndex } = position;
    const places = `applied ${applied}, commit ${commit}, last ${lastIndex}`;
    assert.ok(applied <= commit && commit <= lastIndex, `${place}: ${places}`);
    if (before !== undefined) {
      assert.ok(term >= before.term, `${place}: the term goes from ${before.term} to ${term}`);
      assert.ok(
        commit >= before.commit,
        `${place}: commit goes from ${before.commit} to ${commit}`,
      );
      assert.ok(applied >= before.applied, `${place}: applied goes back to ${applied}`);
    }
    this.#noteCommitted(group, position, [before?.conf ?? position.conf, position.conf]);
    this.#checkApplied(id, group, { from: before?.applied ?? 0, to: applied });
    if (position.role === 'leader') this.#leads(id, group, term);
    // docs/raft.md, pitfall 23.
    const isAtRest = applied === lastIndex;
    assert.ok(isAtRest || !position.asleep, `${place} sleeps with something to do: ${places}`);
  }

  #facts(group: number): GroupFacts {
    let facts = this.#groups[group];
    if (facts === undefined) {
      facts = { leaders: new Map(), committed: [], committedIn: [] };
      this.#groups[group] = facts;
    }
    return facts;
  }

  /**
   * What is committed for the first time is durable on a quorum (AckedIsDurable): of the configuration before the
   * turn, or behind it, for it may have changed in between.
   */
  #noteCommitted(
    group: number,
    { term, commit }: GroupPosition,
    confs: readonly ConfState[],
  ): void {
    const { committed, committedIn } = this.#facts(group);
    while (committed.length < commit) {
      committed.push(this.#storedEntry(group, committed.length + 1, confs));
      committedIn.push(term);
    }
  }

  /** The entry at `index` that a quorum has on its disks, or had: an answer that a disk gave may come after its end. */
  #storedEntry(group: number, index: number, confs: readonly ConfState[]): Entry | undefined {
    const nodes = new Set(confs.flatMap((conf) => [...conf.voters, ...conf.votersOutgoing]));
    const logs = new Map([...nodes].map((id) => [id, this.logs.everHeld(id, group)]));
    const isQuorum = (has: (id: NodeId) => boolean): boolean =>
      confs.some((conf) => hasQuorum(conf, has));
    for (const log of [...logs.values()].flat()) {
      const entry = log.entries.get(index);
      const hasIt = (id: NodeId): boolean => logs.get(id)!.some((held) => held.holds(entry!));
      if (entry !== undefined && isQuorum(hasIt)) return entry;
    }
    const isFlushed = isQuorum((id) =>
      logs.get(id)!.some(({ flushedIndex }) => index <= flushedIndex),
    );
    assert.ok(
      isFlushed,
      `group ${group}: entry ${index} is committed before it is durable on a quorum (AckedIsDurable)`,
    );
    return undefined;
  }

  /** A state machine takes committed entries only, and only once they are on its node's disk. */
  #checkApplied(
    id: NodeId,
    group: number,
    { from, to }: { readonly from: number; readonly to: number },
  ): void {
    const { committed } = this.#facts(group);
    const log = this.logs.log(id, group);
    for (let index = Math.max(from, log.flushedIndex) + 1; index <= to; index++) {
      const entry = committed[index - 1];
      const isRight = entry === undefined ? log.reaches(index) : log.holds(entry);
      assert.ok(isRight, `node ${id} group ${group}: it applied another entry ${index}, or none`);
    }
  }

  /**
   * A new leader has what was committed in the terms before its own. What came in a later one it need not have: votes
   * that were on their way for long can make a leader of a term that has passed.
   */
  #leads(id: NodeId, group: number, term: number): void {
    const { leaders, committed, committedIn } = this.#facts(group);
    const other = leaders.get(term);
    assert.ok(other === undefined || other === id, `${other} and ${id} lead in term ${term}`);
    if (other === id) return;
    leaders.set(term, id);
    const log = this.logs.log(id, group);
    for (let index = log.flushedIndex + 1; index <= committed.length; index++) {
      if (committedIn[index - 1]! >= term) continue;
      const entry = committed[index - 1];
      const isThere = entry === undefined ? log.reaches(index) : log.holds(entry);
      assert.ok(isThere, `node ${id} leads group ${group} in ${term} without entry ${index}`);
    }
  }
}

function isSamePlace(a: GroupPosition, b: GroupPosition): boolean {
  return (
    a.term === b.term &&
    a.role === b.role &&
    a.commit === b.commit &&
    a.applied === b.applied &&
    a.lastIndex === b.lastIndex &&
    a.asleep === b.asleep
  );
}
