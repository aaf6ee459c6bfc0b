import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GroupPosition, NodeId, RaftRow } from '@deltabase/engine';
import {
  type AppendResponseMessage,
  type Entry,
  type HardState,
  type Message,
  votersOnly,
} from 'raft-ts';
import { RaftWitness, SortedMap, ToldWitness } from '../../src/index.js';

const GROUP = 0;
const CONF = votersOnly([1, 2, 3]);

function entry(index: number, term: number, text = `${index}`): Entry {
  return { type: 'normal', index, term, data: new TextEncoder().encode(text) };
}

function entryRow(stored: Entry): RaftRow {
  return { kind: 'entry', group: GROUP, log: 0, index: stored.index, entry: stored };
}

function hardStateRow(hardState: HardState): RaftRow {
  return { kind: 'hardState', group: GROUP, hardState };
}

function groupRow(flushedIndex: number): RaftRow {
  const row = { generation: 1, log: 0, flushedIndex, flushedTerm: 1, confState: CONF, time: 0 };
  return { kind: 'group', group: GROUP, row };
}

/** A cluster of three nodes, as the witness is told of it. */
class Story {
  readonly witness = new RaftWitness();
  readonly #positions = new Map<NodeId, GroupPosition>();
  readonly #lives = new Map<NodeId, number>();

  writes(id: NodeId, ...rows: RaftRow[]): this {
    for (const row of rows) this.witness.logs.take(id, row);
    return this;
  }

  /** Entries 1 to `last` of term 1 are on the disks of these nodes. */
  has(last: number, ...ids: NodeId[]): this {
    const rows = Array.from({ length: last }, (_, at) => entryRow(entry(at + 1, 1)));
    for (const id of ids) this.writes(id, ...rows);
    return this;
  }

  /** A node has taken a turn, and something of it has changed. */
  is(id: NodeId, change: Partial<GroupPosition>): this {
    const before = this.#positions.get(id) ?? {
      id,
      term: 1,
      vote: 0,
      role: 'follower',
      lead: 0,
      commit: 0,
      applied: 0,
      firstIndex: 1,
      lastIndex: 9,
      leadTransferee: 0,
      damaged: false,
      conf: CONF,
      asleep: false,
    };
    const position = { ...before, ...change };
    this.#positions.set(id, position);
    this.witness.worked(id, this.#lives.get(id) ?? 1, [position].entries());
    return this;
  }

  restarts(id: NodeId): this {
    this.#lives.set(id, (this.#lives.get(id) ?? 1) + 1);
    return this;
  }
}

test('a cluster that keeps its promises passes', () => {
  new Story()
    .has(3, 1, 2)
    .is(1, { role: 'leader', commit: 3, applied: 3 })
    .is(2, { commit: 2, applied: 1 })
    .restarts(2)
    .is(2, { commit: 1, applied: 0 })
    .is(2, { term: 2, commit: 3, applied: 3, role: 'leader' })
    .is(1, { term: 2, role: 'follower' });
});

test('two leaders in one term are found (ElectionSafety)', () => {
  const story = new Story().is(1, { role: 'leader' }).is(2, { term: 2, role: 'leader' });
  assert.throws(() => story.is(3, { term: 2, role: 'leader' }), /2 and 3 lead in term 2/);
});

test('what is committed before a quorum has it on disk is found (AckedIsDurable)', () => {
  const story = new Story().has(3, 1).has(2, 2);
  story.is(1, { role: 'leader', commit: 2, applied: 0 });
  assert.throws(() => story.is(1, { commit: 3 }), /entry 3 is committed before it is durable/);
});

test('copies that differ do not make a quorum', () => {
  const story = new Story().has(2, 1).writes(2, entryRow(entry(1, 1, 'other')));
  assert.throws(() => story.is(1, { commit: 1 }), /entry 1 is committed before it is durable/);
});

test('while two configurations are joint, both need a quorum', () => {
  const conf = { ...CONF, voters: [1, 4, 5], votersOutgoing: [1, 2, 3] };
  const story = new Story().has(2, 1, 2).is(1, { conf });
  assert.throws(() => story.is(1, { commit: 1 }), /before it is durable/);
  story.has(1, 4).is(1, { commit: 1 });
});

test('a leader without a committed entry is found (LeaderCompleteness)', () => {
  const story = new Story().has(3, 1, 2).is(1, { role: 'leader', commit: 3 });
  assert.throws(
    () => story.has(2, 3).is(3, { term: 2, role: 'leader' }),
    /node 3 leads group 0 in 2 without entry 3/,
  );
});

test('a leader of a term that has passed may lack what a later one committed, others may not', () => {
  const story = new Story().has(2, 1, 2).has(1, 3).is(1, { term: 3, role: 'leader', commit: 2 });
  story.is(3, { term: 2, role: 'leader' });
  assert.throws(() => story.is(3, { term: 4 }), /node 3 leads group 0 in 4 without entry 2/);
});

test('a node that applies another entry than was committed is found (StateMachineSafety)', () => {
  const story = new Story().has(2, 1, 2).is(1, { role: 'leader', commit: 2 });
  story.has(1, 3).writes(3, entryRow(entry(2, 2)));
  story.is(3, { commit: 2, applied: 1 });
  assert.throws(() => story.is(3, { applied: 2 }), /it applied another entry 2/);
});

test('a copy that sleeps before it has applied all of its log is found', () => {
  const story = new Story().has(9, 1, 2).is(1, { commit: 9, applied: 9 }).is(1, { asleep: true });
  story.is(2, { commit: 9, applied: 8 });
  assert.throws(() => story.is(2, { asleep: true }), /node 2 group 0 sleeps with something to do/);
});

test('what is flushed may be gone from a log', () => {
  const story = new Story().has(2, 1, 2, 3).is(1, { role: 'leader', commit: 2, applied: 2 });
  const gone = [1, 2].map((index): RaftRow => {
    return { kind: 'entry', group: GROUP, log: 0, index, entry: undefined };
  });
  story.writes(2, groupRow(2), ...gone).is(2, { commit: 2, applied: 2 });
  story.is(2, { term: 2, role: 'leader' });
});

test('places that go back, and one that is beyond the next, are found', () => {
  const at = (change: Partial<GroupPosition>): Story =>
    new Story().has(3, 1, 2, 3).is(1, { term: 5, commit: 3, applied: 3 }).is(1, change);
  assert.throws(() => at({ term: 4 }), /the term goes from 5 to 4/);
  assert.throws(() => at({ applied: 2, commit: 2 }), /commit goes from 3 to 2/);
  assert.throws(() => at({ applied: 2 }), /applied goes back/);
  assert.throws(() => at({ lastIndex: 2 }), /last 2/);
  assert.throws(() => new Story().is(1, { applied: 1 }), /applied 1, commit 0/);
});

function writesTwice(first: HardState, second: HardState): Story {
  const rows = [first, second].map((state) => hardStateRow(state));
  return new Story().writes(1, rows[0]!).restarts(1).writes(1, rows[1]!);
}

test('a disk on which terms, votes or commits are taken back is found, across restarts', () => {
  const first = { term: 4, vote: 2, commit: 7 };
  writesTwice(first, { term: 5, vote: 3, commit: 7 });
  writesTwice({ ...first, vote: 0 }, first);
  assert.throws(() => writesTwice(first, { ...first, term: 3 }), /the stored term goes back/);
  assert.throws(() => writesTwice(first, { ...first, commit: 6 }), /the stored commit goes back/);
  assert.throws(() => writesTwice(first, { ...first, vote: 3 }), /another vote in the same term/);
});

test('a node with another disk begins anew, but what the old one acknowledged counts', () => {
  const story = new Story().has(3, 1, 2).writes(2, hardStateRow({ term: 4, vote: 2, commit: 3 }));
  story.witness.replaced(2, new SortedMap());
  story.writes(2, hardStateRow({ term: 1, vote: 1, commit: 0 }));
  story.is(1, { commit: 1 });
  const other = new Story().has(3, 1);
  other.witness.replaced(2, new SortedMap());
  assert.throws(() => other.is(1, { commit: 1 }), /before it is durable/);
});

const ENVELOPE = { from: 1, to: 2, term: 4 };

/** What a node whose disk is so tells another one. */
function tells(message: Message, ...rows: RaftRow[]): void {
  const { witness } = new Story().writes(1, ...rows);
  new ToldWitness(witness.logs).told(GROUP, message);
}

test('a vote that is told before it is on disk is found (DurableBeforeTold)', () => {
  const grant = { ...ENVELOPE, type: 'voteResponse', reject: false } as const;
  const ask = { ...ENVELOPE, type: 'vote', lastIndex: 0, lastTerm: 0, transfer: false } as const;
  const votes = (vote: number, term = 4): RaftRow => hardStateRow({ term, vote, commit: 0 });
  tells(grant, votes(2));
  tells(grant, votes(3, 5));
  tells(ask, votes(1));
  tells({ ...grant, reject: true });
  tells({ ...grant, type: 'preVoteResponse' });
  assert.throws(() => tells(grant, votes(3)), /votes for 3/);
  assert.throws(() => tells(grant, votes(2, 3)), /in term 3/);
  assert.throws(() => tells(ask), /in term 0/);
  assert.throws(() => tells(ask, votes(2)), /votes for 2/);
});

test('entries that are acknowledged before they are on disk are found (DurableBeforeTold)', () => {
  const acknowledge = (index: number): AppendResponseMessage => ({
    type: 'appendResponse',
    ...ENVELOPE,
    ...{ index, reject: false, hintIndex: 0, hintTerm: 0 },
  });
  const term = hardStateRow({ term: 4, vote: 0, commit: 0 });
  tells(acknowledge(2), term, entryRow(entry(1, 4)), entryRow(entry(2, 4)));
  tells(acknowledge(2), term, groupRow(2));
  tells({ ...acknowledge(5), reject: true }, term);
  assert.throws(() => tells(acknowledge(2), term, entryRow(entry(1, 4))), /not on its disk/);
});
