import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GroupPosition, NodeId } from '@deltabase/engine';
import {
  type ConfChange,
  type ConfState,
  type Entry,
  encodeConfChange,
  type NodeChange,
  votersOnly,
} from 'raft-ts';
import { ConfWitness, haveDisjointQuorums, StoredLogs } from '../../src/index.js';

const GROUP = 0;
const CONF = votersOnly([1, 2, 3]);
const WITH_LEARNER: ConfState = { ...CONF, learners: [4] };

function change(index: number, ...changes: NodeChange[]): Entry {
  const content: ConfChange = { transition: 'auto', changes, context: new Uint8Array(0) };
  return { type: 'confChange', index, term: 1, data: encodeConfChange(content) };
}

const ADD_4 = change(1, { kind: 'addLearner', node: 4 });
const PROMOTE_4 = change(2, { kind: 'addVoter', node: 4 });

/** A cluster of three nodes, as the witness is told of it. */
class Story {
  readonly #logs = new StoredLogs();
  readonly #committed: Entry[] = [];
  readonly #witness = new ConfWitness(
    { logs: this.#logs, committed: () => this.#committed },
    [1, 2, 3],
  );

  writes(id: NodeId, ...entries: Entry[]): this {
    for (const entry of entries) {
      this.#logs.take(id, { kind: 'entry', group: GROUP, log: 0, index: entry.index, entry });
    }
    this.#witness.durable(id);
    return this;
  }

  votes(candidate: NodeId, term: number, ...ids: NodeId[]): this {
    for (const id of ids) {
      const hardState = { term, vote: candidate, commit: 0 };
      this.#logs.take(id, { kind: 'hardState', group: GROUP, hardState });
    }
    return this;
  }

  commits(...entries: Entry[]): this {
    this.#committed.push(...entries);
    return this;
  }

  is(id: NodeId, place: Partial<GroupPosition>): this {
    const position = { term: 1, role: 'follower', applied: 0, ...place } as GroupPosition;
    this.#witness.worked(id, [[GROUP, position]]);
    return this;
  }
}

test('a group whose members change by the rules passes', () => {
  new Story()
    .votes(1, 1, 1, 2)
    .writes(1, ADD_4)
    .commits(ADD_4)
    .is(1, { applied: 1, conf: WITH_LEARNER, role: 'leader' })
    .writes(1, PROMOTE_4)
    .commits(PROMOTE_4)
    .is(1, { applied: 2, conf: votersOnly([1, 2, 3, 4]), role: 'leader' })
    .is(2, { applied: 1, conf: WITH_LEARNER });
});

test('two changes that are under way at once are found (OneChangeAtATime)', () => {
  const story = new Story().writes(1, ADD_4);
  assert.throws(() => story.writes(1, PROMOTE_4), /changes 1,2 are under way at once/);
});

test('a copy that does not follow a change, or is ahead of it, is found', () => {
  const behind = new Story().commits(ADD_4).is(1, { applied: 1, conf: WITH_LEARNER });
  assert.throws(() => behind.is(1, { applied: 2, conf: CONF }), /at 2 it goes by/);
  const ahead = new Story().commits(change(1)).is(1, { applied: 1, conf: CONF });
  assert.throws(() => ahead.is(2, { applied: 1, conf: WITH_LEARNER }), /at 1 it goes by/);
});

test('a leader that too few voters have voted for is found', () => {
  const leads = { applied: 1, conf: WITH_LEARNER, role: 'leader' } as const;
  const story = new Story().commits(ADD_4).votes(1, 1, 1, 4);
  assert.throws(() => story.is(1, leads), /without the votes/);
  const other = new Story().commits(ADD_4).votes(1, 1, 1).votes(2, 1, 2);
  assert.throws(() => other.is(1, leads), /without the votes/);
  // Of a term that was over before its votes were on disk nothing is known.
  new Story().commits(ADD_4).votes(1, 1, 1).votes(3, 2, 2).is(1, leads);
});

test('configurations that could decide apart are told from those that could not', () => {
  const joint: ConfState = { ...votersOnly([2, 3, 4]), votersOutgoing: [1, 2, 3] };
  assert.equal(haveDisjointQuorums(CONF, votersOnly([1, 2, 3, 4])), false);
  assert.equal(haveDisjointQuorums(CONF, joint), false);
  assert.equal(haveDisjointQuorums(joint, votersOnly([2, 3, 4])), false);
  assert.equal(haveDisjointQuorums(CONF, votersOnly([1, 2, 3, 4, 5])), true);
  assert.equal(haveDisjointQuorums(CONF, votersOnly([2, 3, 4])), true);
});
