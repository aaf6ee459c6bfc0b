import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Greeting, greetingProblem, speakerOf, writeGreeting } from '../src/peer-protocol.js';

/** Node 2 greets node 1. */
const GREETING: Greeting = {
  cluster: 'here',
  node: 2,
  address: '127.0.0.1:2',
  peer: 1,
  lane: 'urgent',
};
/** What node 1 expects of it. */
const SELF: Greeting = { ...GREETING, node: 1, address: '127.0.0.1:1', peer: 2 };

test('each end of a connection checks for itself who the other one is, and whom it wants (pitfall 7)', () => {
  const problem = (changes: Partial<Greeting>): string | undefined =>
    greetingProblem(SELF, writeGreeting({ ...GREETING, ...changes }));
  assert.equal(problem({}), undefined);
  assert.match(problem({ cluster: 'there' })!, /it is of cluster "there", this node of "here"/);
  assert.match(problem({ node: 3 })!, /it is node 3, expected was node 2/);
  assert.match(problem({ peer: 3 })!, /it took this node for node 3, but it is node 1/);
});

test('another protocol, and what is no node at all, is told apart', () => {
  const metadata = writeGreeting(GREETING);
  metadata.set('deltabase-protocol', '9');
  assert.match(greetingProblem(SELF, metadata)!, /it speaks peer protocol 9, this node 1/);
  metadata.remove('deltabase-protocol');
  assert.match(greetingProblem(SELF, metadata)!, /it is not a Deltabase node/);
});

test('a greeting says who speaks, from where and on which lane, or nothing that makes sense', () => {
  const { node, address, lane } = GREETING;
  assert.deepEqual(speakerOf(writeGreeting(GREETING)), { node, address, lane });
  const metadata = writeGreeting(GREETING);
  metadata.set('deltabase-node', 'two');
  assert.equal(speakerOf(metadata), undefined);
  const other = writeGreeting(GREETING);
  other.set('deltabase-lane', 'slow');
  assert.equal(speakerOf(other), undefined);
});
