import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js';
import { awaitMembership, judge, type Listed, refuseToBeAlone } from '../src/join.js';
import { loadProtos } from '../src/services/protos.js';
import { freePorts } from './support/free-ports.js';
import { type LogLine, logInto, testConfig } from './support/test-server.js';

const MEMBERS = [1, 2, 4].map((node) => {
  return { node, peerAddress: `p${node}:1`, clientAddress: `c${node}:1`, joined: node < 4 };
});

/** What nodes of a cluster say that has added node 4. */
const LISTED: Listed = {
  ...{ cluster: 'deltabase', clusterId: 'aaaa', groups: 16, founders: [1, 2, 3], highestNode: 5 },
  members: MEMBERS,
};

const CONFIG = { cluster: 'deltabase', node: 4, groups: undefined };

test('a node that was added begins with what the cluster knows', () => {
  const members = MEMBERS.map(({ node, peerAddress, clientAddress }) => {
    return { node, peerAddress, clientAddress };
  });
  const join = { clusterId: 'aaaa', founders: [1, 2, 3] };
  assert.deepEqual(judge(LISTED, CONFIG, 'a:1'), { join, members, groups: 16 });
  assert.equal(typeof judge(LISTED, { ...CONFIG, groups: 16 }, 'a:1'), 'object');
});

test('what may change by itself, or by an operator, is waited for', () => {
  const cases: ReadonlyArray<readonly [Partial<Listed>, RegExp]> = [
    [{ clusterId: '' }, /a:1 does not know the members yet/],
    [{ members: [] }, /a:1 does not know the members yet/],
    [
      { members: MEMBERS.slice(0, 2), highestNode: 3 },
      /a:1 knows no node 4: add it with deltabase cluster add 4=PEER\/CLIENT/,
    ],
  ];
  for (const [changes, says] of cases) {
    const found = judge({ ...LISTED, ...changes }, CONFIG, 'a:1');
    assert.ok(typeof found === 'string');
    assert.match(found, says);
  }
});

test('what cannot become right ends the start, with what to do', () => {
  const joined = MEMBERS.map((member) => ({ ...member, joined: true }));
  const cases: ReadonlyArray<readonly [Partial<Listed>, object, string, RegExp]> = [
    [
      { cluster: 'other' },
      {},
      'INVALID_ARGUMENT',
      /node at a:1 is of cluster other, this one is to join deltabase: check --join and --cluster/,
    ],
    [{}, { groups: 3 }, 'INVALID_ARGUMENT', /has 16 groups, not 3: leave --groups out/],
    [{ members: joined }, {}, 'NODE_REMOVED', /node 4 has lost the data.*cluster replace 4/],
    [{}, { node: 3 }, 'NODE_REMOVED', /node 3 was removed.*under a new id.*cluster add/],
    [{ members: MEMBERS.slice(0, 2) }, {}, 'NODE_REMOVED', /node 4 was removed/],
  ];
  for (const [changes, config, code, message] of cases) {
    assert.throws(() => judge({ ...LISTED, ...changes }, { ...CONFIG, ...config }, 'a:1'), {
      code,
      message,
    });
  }
});

/** Runs `run` with a node that answers as told, and what it answers. */
async function withNode(
  listed: Partial<Listed>,
  run: (address: string, answer: { listed: Partial<Listed> }) => Promise<void>,
): Promise<void> {
  const answer = { listed };
  const server = new GrpcServer();
  const list = loadProtos().cluster['ListMembers']!;
  server.addService(
    { ListMembers: list },
    {
      ListMembers: (_call: unknown, done: (error: null, value: object) => void) =>
        done(null, { ...LISTED, ...answer.listed }),
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  try {
    await run(`127.0.0.1:${port}`, answer);
  } finally {
    server.forceShutdown();
  }
}

test('a node asks one address after the other until it is added, and says once what it waits for', async () => {
  await withNode({ members: MEMBERS.slice(0, 2), highestNode: 3 }, async (address, answer) => {
    const [closed] = await freePorts(1);
    const silent = `127.0.0.1:${closed}`;
    const config = testConfig('none', [
      '--node',
      '4',
      '--groups',
      '16',
      '--join',
      `${silent},${address}`,
    ]);
    const lines: LogLine[] = [];
    const log = logInto(lines);
    const pauses: number[] = [];
    const joined = await awaitMembership(config, {
      log,
      signal: new AbortController().signal,
      pause: async () => {
        pauses.push(lines.length);
        if (pauses.length === 6) answer.listed = {};
      },
    });
    assert.equal(joined.join.clusterId, 'aaaa');
    assert.deepEqual(Object.keys(lines[0]!.fields), ['reason'], 'who waits is in every line');
    const reasons = lines.map(({ fields }) => String(fields['reason']));
    assert.match(reasons[0]!, new RegExp(`${silent} does not answer .*ECONNREFUSED`));
    assert.match(reasons[1]!, new RegExp(`${address} knows no node 4`));
    assert.equal(lines.length, 2, 'each reason is said once');
  });
});

test('a node that is stopped while it waits gives up', async () => {
  const controller = new AbortController();
  const [closed] = await freePorts(1);
  const config = testConfig('none', ['--node', '4', '--join', `127.0.0.1:${closed}`]);
  const waiting = awaitMembership(config, {
    log: logInto([]),
    signal: controller.signal,
    pause: async () => controller.abort(),
  });
  await assert.rejects(waiting, { code: 'CANCELLED' });
});

test('data that make the node a cluster of its own are not taken for those of the cluster to join', async () => {
  await withNode({}, async (address, answer) => {
    const config = testConfig('some-data', ['--node', '4', '--join', address]);
    const [member] = MEMBERS.slice(2);
    const row = {
      ...{ cluster: 'deltabase', clusterId: 'bbbb', node: 4, incarnation: 1, groups: 16 },
      ...{ founders: [4], members: [member!], expulsion: undefined },
    };
    await assert.rejects(refuseToBeAlone(config, row), {
      code: 'NODE_MISMATCH',
      message:
        /some-data are of a cluster of its own.*name an empty data directory.*leave --join out/,
    });
    // Whoever has joined, has grown, is of that cluster, or cannot know, starts.
    for (const fine of [
      { founders: [1, 2, 3] },
      { members: MEMBERS },
      { clusterId: 'aaaa' },
      { clusterId: '' },
    ]) {
      await refuseToBeAlone(config, { ...row, ...fine });
    }
    answer.listed = { clusterId: '' };
    await refuseToBeAlone(config, row);
    const [closed] = await freePorts(1);
    await refuseToBeAlone(testConfig('x', ['--node', '4', '--join', `127.0.0.1:${closed}`]), row);
  });
});
