// What each node's disk holds of Raft, followed batch by batch: hard states and log entries that are on stable
// storage, in this life or the next. What a node may forget in a crash is not in here.

import assert from 'node:assert/strict';
import { type DiskOperation, type NodeId, type RaftRow, readRaftRow } from '@deltabase/engine';
import { EMPTY_HARD_STATE, type Entry, type HardState, NONE } from 'raft-ts';
import type { SortedMap } from '../disk/sorted-map.js';

/** A group on a node's disk. */
export class StoredLog {
  hardState: HardState = EMPTY_HARD_STATE;
  /** Everything up to it is in the state machine's rows; entries up to there may be gone. */
  flushedIndex = 0;
  /** The number of the log in use; entries of others are not looked at. */
  number = 0;
  readonly entries = new Map<number, Entry>();
  /** Indices of the changes of configuration among the entries. */
  readonly changes = new Set<number>();
  /** Votes by term; of a term that was over before its vote was on disk there is none. */
  readonly votes = new Map<number, NodeId>();

  /** Whether a vote for `candidate` may have left this disk; not if it holds another one, or none of that term yet. */
  mayHaveVoted(term: number, candidate: NodeId): boolean {
    const vote = this.votes.get(term);
    return vote === undefined ? this.hardState.term > term : vote === candidate;
  }

  /** Whether this is the entry on disk, or it is part of the state there. */
  holds(entry: Entry): boolean {
    const there = this.entries.get(entry.index);
    return there === undefined ? entry.index <= this.flushedIndex : isSameEntry(there, entry);
  }

  /** Whether any entry stands at `index`, or did. */
  reaches(index: number): boolean {
    return index <= this.flushedIndex || this.entries.has(index);
  }
}

export class StoredLogs {
  readonly #nodes = new Map<NodeId, Map<number, StoredLog>>();
  /** What nodes had on disks that were replaced. */
  readonly #lost = new Map<NodeId, Map<number, StoredLog>[]>();

  log(id: NodeId, group: number): StoredLog {
    let groups = this.#nodes.get(id);
    if (groups === undefined) {
      groups = new Map();
      this.#nodes.set(id, groups);
    }
    let log = groups.get(group);
    if (log === undefined) {
      log = new StoredLog();
      groups.set(group, log);
    }
    return log;
  }

  /** The groups on a node's disk. */
  of(id: NodeId): Iterable<readonly [group: number, log: StoredLog]> {
    return this.#nodes.get(id) ?? [];
  }

  /** Whether any node's disk has the group so. */
  any(group: number, is: (log: StoredLog) => boolean): boolean {
    return [...this.#nodes.values()].some((groups) => groups.has(group) && is(groups.get(group)!));
  }

  /** The group as a node has it on its disk, and as it had it on those that it lost: its acknowledgements still count. */
  everHeld(id: NodeId, group: number): StoredLog[] {
    const lost = this.#lost.get(id) ?? [];
    return [this.log(id, group), ...lost.flatMap((groups) => groups.get(group) ?? [])];
  }

  /** A batch of a node is on stable storage. Throws if it takes back what an earlier one promised. */
  durable(id: NodeId, batch: readonly DiskOperation[]): void {
    for (const operation of batch) {
      const value = operation.kind === 'put' ? operation.value : undefined;
      const row = readRaftRow(operation.key, value);
      if (row !== undefined) this.take(id, row);
    }
  }

  /** A node finds other rows on its disk, as if it were another one. */
  replaced(id: NodeId, rows: SortedMap): void {
    const before = this.#nodes.get(id);
    if (before !== undefined) this.#lost.set(id, [...(this.#lost.get(id) ?? []), before]);
    this.#nodes.delete(id);
    const found = rows.rows().flatMap(({ key, value }) => readRaftRow(key, value) ?? []);
    // Which log is in use is said behind the entries.
    for (const row of found) if (row.kind !== 'entry') this.take(id, row);
    for (const row of found) if (row.kind === 'entry') this.take(id, row);
  }

  /** A row is on stable storage, or gone from it. */
  take(id: NodeId, row: RaftRow): void {
    const log = this.log(id, row.group);
    if (row.kind === 'hardState') {
      const next = row.hardState ?? EMPTY_HARD_STATE;
      checkHardState(`node ${id} group ${row.group}`, log.hardState, next);
      log.hardState = next;
      if (next.vote !== NONE) log.votes.set(next.term, next.vote);
    } else if (row.kind === 'group') {
      log.flushedIndex = row.row?.flushedIndex ?? 0;
      log.number = row.row?.log ?? 0;
    } else if (row.log !== log.number) {
      // What a recovery left of another log.
    } else if (row.entry === undefined) {
      log.entries.delete(row.index);
      log.changes.delete(row.index);
    } else {
      log.entries.set(row.index, row.entry);
      if (row.entry.type === 'confChange') log.changes.add(row.index);
      else log.changes.delete(row.index);
    }
  }
}

/** Terms and commit indices never go back, and there is one vote in a term, across restarts (Raft §5.2). */
function checkHardState(place: string, before: HardState, after: HardState): void {
  const change = `${JSON.stringify(before)} to ${JSON.stringify(after)}`;
  assert.ok(after.term >= before.term, `${place}: the stored term goes back, ${change}`);
  assert.ok(after.commit >= before.commit, `${place}: the stored commit goes back, ${change}`);
  const isSameVote = after.vote === before.vote || before.vote === 0 || after.term > before.term;
  assert.ok(isSameVote, `${place}: another vote in the same term, ${change}`);
}

export function isSameEntry(a: Entry, b: Entry): boolean {
  return a.term === b.term && a.type === b.type && Buffer.compare(a.data, b.data) === 0;
}
