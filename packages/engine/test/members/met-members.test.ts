// Nodes that call from somewhere else than they are said to be.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Peers, type PeersHost } from '../../src/members/peers.js';
import { SILENT } from '../support/log.js';
import { sampleMember } from '../support/samples.js';

function setUp({ configured = [1], reachable = [] as number[] } = {}) {
  const told: string[] = [];
  const nothing = { forget() {} };
  const host = {
    self: 1,
    configured: configured.map(sampleMember),
    network: { setPeer: (peer: number, address: string) => told.push(`${peer} at ${address}`) },
    links: { ...nothing, setPeers() {}, isReachable: (peer: number) => reachable.includes(peer) },
    liveness: nothing,
    clusterClock: nothing,
    log: SILENT,
    strangersMax: 2,
    nowMs: () => 0,
  };
  const peers = new Peers(host as unknown as PeersHost);
  peers.set([1, 2, 3].map(sampleMember));
  told.length = 0;
  return { peers, told };
}

test('a member is looked for where it calls from, if it cannot be reached where it is said to be', () => {
  const { peers, told } = setUp({ reachable: [3] });
  peers.met(2, 'elsewhere:1');
  peers.met(3, 'elsewhere:2');
  peers.met(1, 'elsewhere:3');
  peers.met(2, '');
  assert.deepEqual(told, ['2 at elsewhere:1']);
});

test('where its operator says that a member is, a node looks for it and nowhere else', () => {
  const { peers, told } = setUp({ configured: [1, 2] });
  peers.met(2, 'elsewhere:1');
  assert.deepEqual(told, []);
});
