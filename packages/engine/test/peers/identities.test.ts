import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FrameHeader } from '../../src/peers/frame.js';
import { Identities } from '../../src/peers/identities.js';
import type { DiskOperation } from '../../src/ports.js';
import { SILENT } from '../support/log.js';

const OWN: FrameHeader = {
  cluster: 'sim',
  clusterId: 'id',
  groups: 2,
  founders: 9,
  incarnation: 7,
};
const OF_TWO = { ...OWN, incarnation: 22 };

function setUp(header: FrameHeader = OWN) {
  const errors: string[] = [];
  const written: Array<{ operations: readonly DiskOperation[]; done: () => void }> = [];
  const identities = new Identities({
    header,
    log: { ...SILENT, error: (_event, fields) => void errors.push(String(fields?.['reason'])) },
    founders: [1, 2, 3],
    incarnations: new Map([[2, 22]]),
    write: (operations, done) => void written.push({ operations, done }),
  });
  return { identities, written, errors };
}

test('a node of another cluster or number of groups is not listened to', () => {
  const { identities } = setUp();
  assert.equal(identities.judge(2, OF_TWO), 'peer');
  assert.equal(identities.judge(2, { ...OF_TWO, cluster: 'other' }), 'stranger');
  assert.equal(identities.judge(2, { ...OF_TWO, groups: 3 }), 'stranger');
});

test('a node of another cluster of the same name is not listened to, and the log says so once', () => {
  const { identities, errors } = setUp();
  for (let count = 0; count < 2; count++) {
    assert.equal(identities.judge(2, { ...OF_TWO, clusterId: 'before' }), 'stranger');
  }
  assert.equal(errors.length, 1);
  assert.match(errors[0]!, /another cluster of this name .* only that one may go on/);
});

test('before the id of the cluster is known its first members tell it apart', () => {
  for (const [mine, theirs] of [
    ['', ''],
    ['id', ''],
    ['', 'id'],
  ]) {
    const { identities, errors } = setUp({ ...OWN, clusterId: mine! });
    const header = { ...OF_TWO, clusterId: theirs! };
    assert.equal(identities.judge(2, header), 'peer');
    assert.equal(identities.judge(2, { ...header, founders: 8 }), 'stranger');
    assert.match(errors[0]!, /other first members than 1, 2, 3/);
  }
  // Whoever joins later has the founders from others, and both know the id.
  assert.equal(setUp().identities.judge(2, { ...OF_TWO, founders: 8 }), 'peer');
});

test('a node that lost its disk is not listened to under its old id (pitfall 7)', () => {
  const { identities, errors } = setUp();
  assert.equal(identities.judge(2, { ...OF_TWO, incarnation: 23 }), 'stranger');
  assert.match(errors[0]!, /has lost the data of 22/);
});

test('a new peer is listened to once its incarnation is durable, and only under that one', () => {
  const { identities, written } = setUp();
  const header = { ...OWN, incarnation: 33 };
  assert.equal(identities.incarnationOf(3), undefined);
  assert.equal(identities.judge(3, header), 'stranger');
  assert.equal(identities.judge(3, header), 'stranger');
  assert.equal(written.length, 1);
  written[0]!.done();
  assert.equal(identities.incarnationOf(3), 33);
  assert.equal(identities.judge(3, header), 'peer');
  assert.equal(identities.judge(3, { ...header, incarnation: 34 }), 'stranger');
});

test('who was removed, or is not who the members document says, is expelled', () => {
  const { identities, written } = setUp();
  identities.decide({
    wasRemoved: (node) => node === 2,
    incarnationOf: (node) => (node === 3 ? 33 : undefined),
    wasBefore: (clusterId) => clusterId === 'before',
  });
  assert.equal(identities.judge(2, OF_TWO), 'removed');
  assert.equal(identities.judge(3, { ...OWN, incarnation: 34 }), 'lost');
  assert.equal(written.length, 0, 'it is not remembered as a peer');
  assert.equal(identities.judge(3, { ...OWN, incarnation: 33 }), 'stranger');
  written[0]!.done();
  assert.equal(identities.judge(3, { ...OWN, incarnation: 33 }), 'peer');
  // Nothing counts that another cluster says.
  assert.equal(identities.judge(2, { ...OF_TWO, clusterId: 'other' }), 'stranger');
  // But of what this one was before it was recovered something is known.
  assert.equal(identities.judge(2, { ...OF_TWO, clusterId: 'before' }), 'left-behind');
  const elsewhere = { ...OF_TWO, clusterId: 'before', cluster: 'other' };
  assert.equal(identities.judge(2, elsewhere), 'stranger');
});
