import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NONE } from '../src/types.js';
import { Cluster, testModes } from './support/cluster.js';
import { bytesOf } from './support/entries.js';
import { append, appendResponse, only } from './support/messages.js';
import { Single } from './support/single.js';

const THREE = { voters: [1, 2, 3] };

test('leadership moves only to a voter, and to another one', () => {
  const one = new Single(THREE);
  one.leadAndCommit(2, 3);
  one.run((node) =>
    node.proposeConfChange({
      transition: 'auto',
      changes: [{ kind: 'addLearner', node: 4 }],
      context: bytesOf(''),
    }),
  );
  one.acknowledge(2, 3, 4);
  for (const id of [1, 4, 9]) {
    assert.deepEqual(
      one.run((node) => node.transferLeader(id)),
      [],
    );
    assert.equal(one.status.leadTransferee, NONE);
  }
});

test('a second request to the same node changes nothing, one to another replaces it', () => {
  const one = new Single(THREE);
  one.leadAndCommit(2, 3);
  assert.equal(
    only(
      one.run((node) => node.transferLeader(2)),
      'timeoutNow',
    ).length,
    1,
  );
  assert.deepEqual(
    one.run((node) => node.transferLeader(2)),
    [],
  );
  const [now] = only(
    one.run((node) => node.transferLeader(3)),
    'timeoutNow',
  );
  assert.equal(now!.to, 3);
  one.run((node) => node.transferLeader(1));
  assert.equal(one.status.leadTransferee, NONE, 'one to itself only ends it');
  one.propose('a');
});

test('requests that alternate do not keep a leader from checking its quorum', () => {
  const one = new Single(THREE);
  one.leadAndCommit(2, 3);
  for (let passed = 0; passed < 25 && one.status.role === 'leader'; passed++) {
    one.run((node) => node.transferLeader(2 + (passed % 2)));
    one.tick();
  }
  assert.equal(one.status.role, 'follower');
});

testModes('a leader that was asked to campaign itself stays what it is', (mode) => {
  const one = new Single({ ...THREE, ...mode });
  one.leadAndCommit(2, 3);
  one.step({ type: 'timeoutNow', from: 2, to: 1, term: 1 });
  one.run((node) => node.campaign());
  assert.deepEqual([one.status.role, one.status.term], ['leader', 1]);
});

testModes('a leader that resigns has the most up-to-date voter campaign at once', (mode) => {
  const one = new Single({ ...THREE, ...mode });
  one.leadAndCommit(2, 3);
  one.propose('a');
  const { term, lastIndex } = one.status;
  one.step(appendResponse({ from: 3, term, index: lastIndex }));
  const [now] = only(
    one.run((node) => node.resign()),
    'timeoutNow',
  );
  assert.equal(now!.to, 3);
  assert.deepEqual([one.status.role, one.status.lead, one.status.term], ['follower', NONE, term]);
});

test('a resignation needs nobody to take over, and means nothing to who does not lead', () => {
  const one = new Single({ voters: [1] });
  one.run((node) => node.resign());
  assert.equal(one.status.role, 'follower');
  one.node.campaign();
  one.run(() => {});
  assert.equal(one.status.role, 'leader');
  assert.deepEqual(
    one.run((node) => node.resign()),
    [],
  );
  assert.equal(one.status.role, 'follower');
});

testModes(
  'who resigned follows the next leader, and what it had not committed is as that says',
  (mode) => {
    const cluster = new Cluster({ ...THREE, ...mode });
    cluster.elect(1);
    cluster.node(1).resign();
    cluster.settle();
    const [leader] = cluster.leaders();
    assert.ok(leader === 2 || leader === 3);
    assert.equal(cluster.status(1).lead, leader);
  },
);

test('who is told that nobody could be elected gives up its campaign and waits for a whole timeout', () => {
  const one = new Single(THREE);
  const tick = (ticks: number) =>
    one.run((node) => {
      for (let count = 0; count < ticks; count++) node.tick();
    });
  tick(20);
  assert.equal(one.status.role, 'preCandidate');
  one.run((node) => node.awaitElection());
  assert.equal(one.status.role, 'follower');
  tick(9);
  assert.equal(one.status.role, 'follower');
  tick(11);
  assert.equal(one.status.role, 'preCandidate');
  // With a leader there is no election to wait for.
  one.step(append({ from: 2, term: 1 }));
  one.run((node) => node.awaitElection());
  assert.equal(one.status.lead, 2);
});

test('who abstains does not campaign, neither by a timeout nor when it is asked to', () => {
  const one = new Single(THREE);
  one.step(append({ from: 2, term: 1 }));
  one.node.setAbstains(true);
  one.run((node) => {
    for (let tick = 0; tick < 100; tick++) node.tick();
  });
  assert.equal(one.status.role, 'follower');
  assert.deepEqual(one.step({ type: 'timeoutNow', from: 2, to: 1, term: 1 }), []);
  one.node.setAbstains(false);
  const requests = only(one.step({ type: 'timeoutNow', from: 2, to: 1, term: 1 }), 'vote');
  assert.equal(requests.length, 2);
});
