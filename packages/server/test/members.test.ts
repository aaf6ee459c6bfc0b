// What ClusterService answers to changes of the members that are wrong, and how far it tells a change.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { errorIn, type Loose } from './support/test-client.js';
import { withServer } from './support/test-server.js';
import { until } from './support/until.js';

const { INVALID_ARGUMENT, NOT_FOUND, FAILED_PRECONDITION } = status;
const PLACE = { peerAddress: '127.0.0.1:9', clientAddress: '127.0.0.1:10' };
const LONG = `${'a'.repeat(258)}:1`;

/** Method, request, and what comes of it. */
const WRONG: ReadonlyArray<readonly [string, Loose, number, string, RegExp]> = [
  ['addMember', { ...PLACE }, INVALID_ARGUMENT, 'INVALID_ARGUMENT', /node is missing/],
  ['addMember', { node: 2 }, INVALID_ARGUMENT, 'INVALID_ARGUMENT', /peer_address is no address/],
  ...[LONG, 'host', 'host:', 'host:70000', 'a b:1', '::1:7', 'host:0', '[::1]:00'].map(
    (address) =>
      [
        'addMember',
        { node: 2, ...PLACE, clientAddress: address },
        INVALID_ARGUMENT,
        'INVALID_ARGUMENT',
        /client_address is no address that others can reach: use HOST:PORT/,
      ] as const,
  ),
  [
    'addMember',
    { node: 4_000_000_000, ...PLACE },
    INVALID_ARGUMENT,
    'INVALID_ARGUMENT',
    /whole number from 2 to 65535/,
  ],
  ['addMember', { node: 1, ...PLACE }, FAILED_PRECONDITION, 'MEMBERS_REFUSED', /a member already/],
  ['promoteMember', {}, INVALID_ARGUMENT, 'INVALID_ARGUMENT', /node is missing: give the id/],
  ['promoteMember', { node: 9 }, NOT_FOUND, 'NODE_NOT_FOUND', /no node 9: deltabase cluster/],
  ['promoteMember', { node: 1 }, FAILED_PRECONDITION, 'MEMBERS_REFUSED', /is a voter already/],
  ['removeMember', {}, INVALID_ARGUMENT, 'INVALID_ARGUMENT', /node is missing/],
  ['removeMember', { node: 9 }, NOT_FOUND, 'NODE_NOT_FOUND', /no node 9/],
  ['removeMember', { node: 1 }, FAILED_PRECONDITION, 'MEMBERS_REFUSED', /last voter: add another/],
  ['replaceMember', { node: 2, ...PLACE }, INVALID_ARGUMENT, 'INVALID_ARGUMENT', /old_node is/],
  ['replaceMember', { oldNode: 9, node: 2, ...PLACE }, NOT_FOUND, 'NODE_NOT_FOUND', /no node 9/],
  [
    'replaceMember',
    { oldNode: 1, node: 1, ...PLACE },
    FAILED_PRECONDITION,
    'MEMBERS_REFUSED',
    /node 1 is a member already/,
  ],
  ['transferLeader', { group: 4, node: 1 }, INVALID_ARGUMENT, 'INVALID_ARGUMENT', /are 0 to 3/],
  ['transferLeader', { group: 1, node: 9 }, NOT_FOUND, 'NODE_NOT_FOUND', /no node 9/],
];

test('changes that are wrong are refused with their code and what to do, and change nothing', async () => {
  await withServer([], async ({ client }) => {
    for (const [method, request, grpc, code, says] of WRONG) {
      const error = await client.call(method, request).then(
        () => assert.fail(`${method} ${JSON.stringify(request)} should fail`),
        (thrown) => thrown,
      );
      const what = `${method} ${JSON.stringify(request)}: ${error.message}`;
      assert.deepEqual([error.code, errorIn(error).code], [grpc, code], what);
      assert.match(errorIn(error).message, says);
    }
    const { members, change, changes } = await client.call('listMembers', {});
    assert.deepEqual([members.length, change ?? null, Number(changes)], [1, null, 0]);
  });
});

test('while a change is under way it is told how far, others are refused, and it can be undone', async () => {
  await withServer([], async ({ client, server }) => {
    const request = { node: 2, ...PLACE };
    const { change } = await client.call('addMember', request);
    assert.equal(Number(change), 1);
    assert.equal(Number((await client.call('addMember', request)).change), 1, 'asked again');
    for (const [method, other] of [
      ['addMember', { ...request, clientAddress: '127.0.0.1:11' }],
      ['addMember', { ...request, node: 3 }],
      ['replaceMember', { oldNode: 1, ...request }],
      ['removeMember', { node: 1 }],
      ['promoteMember', { node: 2 }],
    ] as const) {
      const error = await client.call(method, other).catch((thrown) => thrown);
      assert.equal(errorIn(error).code, 'MEMBERS_REFUSED', method);
      assert.match(error.message, /node 2 is being added.*deltabase cluster remove 2/);
    }
    const list = await client.call('listMembers', {});
    const { kind, node, phase, groupsTotal } = list.change;
    assert.deepEqual([kind, node, phase, groupsTotal], ['add', 2, 'joining', 4]);
    const [, newcomer] = list.members;
    assert.deepEqual([newcomer.node, newcomer.role, newcomer.joined], [2, 'learner', false]);
    const transferred = await client
      .call('transferLeader', { group: 1, node: 2 })
      .catch((thrown) => thrown);
    assert.match(transferred.message, /node 2 does not vote, so it cannot lead: promote it first/);
    await client.call('removeMember', { node: 2 });
    await until(() => server.engine.members().change === undefined);
    const reused = await client.call('addMember', request).catch((thrown) => thrown);
    assert.match(reused.message, /those up to 2 have been: use 3 or a higher one/);
  });
});
