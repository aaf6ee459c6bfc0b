// Nodes that do not belong together, and a member that talks nonsense: neither harms a node.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makePrng, type Prng, pack } from '@deltabase/base';
import { type Server, startServer } from '../src/index.js';
import { FakePeer } from './support/fake-peer.js';
import { freePorts } from './support/free-ports.js';
import { type LogLine, logInto, machines, testConfig, throwing } from './support/test-server.js';
import { until } from './support/until.js';

const SEED = Number(process.env['SEED'] ?? 1);

interface Node {
  readonly server: Server;
  readonly lines: readonly LogLine[];
}

/** Runs `run` with nodes 1, 2, ... that take each other for members, each with flags of its own. */
async function withNodes(
  flags: readonly (readonly string[])[],
  run: (...nodes: Node[]) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'deltabase-peers-'));
  const ports = await freePorts(2 * flags.length);
  const members = flags.map(
    (_, at) => `${at + 1}=127.0.0.1:${ports[2 * at]}/127.0.0.1:${ports[2 * at + 1]}`,
  );
  const nodes: Node[] = [];
  try {
    for (const [at, more] of flags.entries()) {
      const lines: LogLine[] = [];
      const config = testConfig(join(folder, String(at)), [
        ...['--node', String(at + 1), '--members', members.join(',')],
        ...['--peer-listen', `127.0.0.1:${ports[2 * at]}`],
        ...more,
      ]);
      const server = await startServer(config, { log: logInto(lines), fatal: throwing, machines });
      nodes.push({ server, lines });
    }
    await run(...nodes);
  } finally {
    await Promise.all(nodes.map(({ server }) => server.stop()));
    await rm(folder, { recursive: true });
  }
}

/** The reasons that a node logged with an event. */
function reasons({ lines }: Node, event: string): string[] {
  return lines.filter((line) => line.event === event).map(({ fields }) => String(fields['reason']));
}

function leads({ server }: Node): boolean {
  return server.engine.leaders().some((leader) => leader !== 0);
}

test('nodes of two clusters refuse each other, say why, and elect nobody together', async () => {
  await withNodes(
    [
      ['--cluster', 'blue'],
      ['--cluster', 'red'],
    ],
    async (blue, red) => {
      for (const [node, other] of [
        [blue!, 'red'],
        [red!, 'blue'],
      ] as const) {
        await until(() => reasons(node, 'peer-refused').length > 0);
        await until(() => reasons(node, 'peer-unreachable').length > 0);
        assert.match(
          reasons(node, 'peer-refused')[0]!,
          new RegExp(`of cluster "${other}".*check the members`),
        );
      }
      // Long enough for several elections, had they heard each other.
      const { turns } = blue!.server.engine.status().counters;
      await until(() => blue!.server.engine.status().counters.turns > turns + 100);
      assert.deepEqual([leads(blue!), leads(red!)], [false, false]);
    },
  );
});

test('nodes that disagree about the number of groups do not listen to each other', async () => {
  await withNodes(
    [
      ['--groups', '3'],
      ['--groups', '4'],
    ],
    async (three, four) => {
      await until(
        () => reasons(three!, 'peer-refused').length + reasons(four!, 'peer-refused').length > 1,
      );
      assert.deepEqual(reasons(three!, 'peer-refused'), [
        'it is of cluster deltabase with 4 groups',
      ]);
      assert.deepEqual(reasons(four!, 'peer-refused'), [
        'it is of cluster deltabase with 3 groups',
      ]);
      assert.deepEqual([leads(three!), leads(four!)], [false, false]);
    },
  );
});

test('a member whose frames make no sense is not heard, and ends nothing', async (t) => {
  t.diagnostic(`SEED=${SEED}`);
  const random = makePrng(SEED);
  const fake = await FakePeer.open({ cluster: 'deltabase', node: 2, peer: 1 });
  const folder = await mkdtemp(join(tmpdir(), 'deltabase-fake-'));
  const [peerPort] = await freePorts(1);
  const lines: LogLine[] = [];
  const members = `1=127.0.0.1:${peerPort}/127.0.0.1:1,2=127.0.0.1:${fake.port}/127.0.0.1:2`;
  const flags = ['--members', members, '--peer-listen', `127.0.0.1:${peerPort}`];
  const server = await startServer(testConfig(folder, flags), {
    log: logInto(lines),
    fatal: throwing,
    machines,
  });
  try {
    await fake.meet(`127.0.0.1:${peerPort}`);
    await until(() => fake.frames.length > 0);
    for (let round = 0; round < 300; round++) {
      const lane = round % 2 === 0 ? 'urgent' : 'bulk';
      fake.send(lane, nonsense(random), round % 7 === 0 ? 1 : undefined);
    }
    // The last ones of both lanes, known by their checksum: those before them have come.
    for (const lane of ['urgent', 'bulk']) fake.send(lane, Buffer.from('end'), 1);
    const count = (event: string): number => lines.filter((line) => line.event === event).length;
    await until(() => count('peer-frame-damaged') === Math.ceil(300 / 7) + 2);
    assert.ok(count('bad-frame') > 200, `${count('bad-frame')} frames were refused`);
    const { counters, groups } = server.engine.status();
    assert.equal(counters.messagesExecuted, 0);
    assert.ok(groups.every(({ role, commit }) => role !== 'leader' && commit === 0));
  } finally {
    await server.stop();
    fake.close();
    await rm(folder, { recursive: true });
  }
});

/** Bytes of no form, values of no frame's form, and frames whose parts have none. */
function nonsense(random: Prng): Buffer {
  const kind = random.below(3);
  if (kind === 0) {
    return Buffer.from(Array.from({ length: 1 + random.below(200) }, () => random.below(256)));
  }
  const list = Array.from({ length: random.below(8) }, () => anything(random, 3));
  if (kind === 1) return Buffer.from(pack(list));
  return Buffer.from(pack([1, 'deltabase', 3, 1 + random.below(1000), ...list]));
}

function anything(random: Prng, depth: number): unknown {
  const kind = random.below(depth === 0 ? 6 : 8);
  const values = [null, true, -1, random.next(), 'text', Buffer.from([1, 2, 3])];
  if (kind < 6) return values[kind];
  return Array.from({ length: random.below(5) }, () => anything(random, depth - 1));
}
