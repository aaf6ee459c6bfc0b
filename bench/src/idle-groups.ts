// What groups cost that have nothing to do: CPU, frames and memory of their nodes at rest; and how long it takes until
// all of them are led, when the nodes start and when one of them is killed, and until they rest again.

import { DeltabaseError, makePrng, type Prng } from '@deltabase/base';
import type { Client, NodeStatus } from '@deltabase/client';
import { groupOf } from '@deltabase/machine';
import type { ProcessCluster } from '@deltabase/testkit';
import { cpuSeconds, residentBytes, sleep, withClient, withProcesses } from './bench-cluster.js';
import { Counters, SPACE } from './counters.js';
import {
  type BenchContext,
  type Benchmark,
  cell,
  type Measured,
  required,
  round,
  spreadOf,
} from './harness.js';

interface Plan {
  readonly groups: number;
  /** The same nodes with few groups, to compare with. */
  readonly fewGroups: number;
  readonly windows: number;
  readonly windowMs: number;
  readonly kills: number;
  /** Messages that are sent at the moment of each kill, to as many groups of the killed node. */
  readonly probes: number;
  /** Options of the nodes; the defaults in the full form. */
  readonly flags: Readonly<Record<string, string>>;
}

const FULL: Plan = {
  groups: 1000,
  fewGroups: 16,
  windows: 5,
  windowMs: 7000,
  kills: 5,
  probes: 30,
  flags: {},
};
const SMOKE: Plan = {
  groups: 40,
  fewGroups: 4,
  windows: 1,
  windowMs: 300,
  kills: 1,
  probes: 5,
  flags: { limits: 'idleSleepMs=500,flushIntervalMs=500' },
};

const WAIT_MS = 120_000;
/** A status tells of every group: asked for more often it would slow down what is measured. */
const LED_POLL_MS = 100;
const REST_POLL_MS = 500;
const MEGABYTE = 1e6;

export const idleGroups: Benchmark = {
  name: 'idle-groups',
  question: 'What do 1,000 idle groups cost, and how soon do all of them have a leader again?',
  workload:
    'Three nodes with 1,000 groups, default timeouts. Once all groups sleep on every node, five times the CPU time, frames and memory of each ' +
    'node over seconds in which nothing happens; the same with 16 groups. Then one node after the other is killed (kill -9) at rest, messages ' +
    'are sent to 30 of the groups that it led, and everything is timed until all groups sleep on the others; it starts again, ' +
    'and is timed until each node leads its share and all groups sleep.',
  doesNotShow:
    'Groups that hold documents; nodes on machines of their own, which would elect leaders sooner than three on the same cores.',
  async run(context: BenchContext): Promise<Measured> {
    const plan = context.smoke ? SMOKE : FULL;
    const few = await withProcesses({ groups: plan.fewGroups, flags: plan.flags }, (cluster) =>
      start(cluster, (client) => measureRest({ cluster, client, plan })),
    );
    context.progress(`${plan.fewGroups} groups are measured`);
    return withProcesses({ groups: plan.groups, flags: plan.flags }, async (cluster) => {
      const begunMs = performance.now();
      return start(cluster, async (client) => {
        const scene = { cluster, client, plan };
        const startMs = await ledAfter(scene, begunMs);
        const spreadMs = await spreadAfter(scene, begunMs);
        context.progress(
          `all led after ${seconds(startMs)} s, spread after ${seconds(spreadMs)} s`,
        );
        const rest = await measureRest(scene);
        context.progress('all groups sleep and are measured');
        const probes = await Counters.deploy(client);
        const losses: Loss[] = [];
        for (let kill = 0; kill < plan.kills; kill++) {
          losses.push(await killOne(scene, { probes, kill, seed: context.seed }));
          const { ledMs, answerMs } = losses.at(-1)!;
          const slowest = Math.round(Math.max(...answerMs));
          context.progress(
            `kill ${kill + 1}: led after ${Math.round(ledMs)} ms, answers ${slowest} ms`,
          );
        }
        const checksum = await probes.verify();
        return { ...summarize(context, plan, { few, rest, startMs, spreadMs, losses }), checksum };
      });
    });
  },
};

/** Starts every node, and runs `use` with a client. */
async function start<T>(cluster: ProcessCluster, use: (client: Client) => Promise<T>): Promise<T> {
  await Promise.all(cluster.nodes.map((node) => node.start()));
  return withClient(cluster, use);
}

interface Scene {
  readonly cluster: ProcessCluster;
  readonly client: Client;
  readonly plan: Plan;
}

/** What nodes at rest do, of each node and window. */
interface Rest {
  /** Percent of a core. */
  readonly cpu: readonly number[];
  readonly framesPerSecond: readonly number[];
  readonly bytesPerSecond: readonly number[];
  /** Of each node, in the end. */
  readonly megabytes: readonly number[];
}

async function measureRest(scene: Scene): Promise<Rest> {
  const { cluster, client, plan } = scene;
  await asleepAfter(scene, performance.now());
  const windows: (readonly Use[])[] = [];
  for (let window = 0; window < plan.windows; window++) {
    windows.push(
      await Promise.all(cluster.nodes.map(({ id, pid }) => useOf(client, id, pid!, plan))),
    );
  }
  const uses = windows.flat();
  const memory = await Promise.all(cluster.nodes.map(({ pid }) => residentBytes(pid!)));
  return {
    cpu: uses.map((use) => use.cpu),
    framesPerSecond: uses.map((use) => use.framesPerSecond),
    bytesPerSecond: uses.map((use) => use.bytesPerSecond),
    megabytes: memory.map((bytes) => bytes / MEGABYTE),
  };
}

interface Use {
  readonly cpu: number;
  readonly framesPerSecond: number;
  readonly bytesPerSecond: number;
}

/** What one node uses in a window. Its counters are asked for before and after, so that this does not count as use. */
async function useOf(client: Client, node: number, pid: number, plan: Plan): Promise<Use> {
  const before = await sentBy(client, node);
  await sleep(plan.windowMs / 10);
  const [fromCpu, fromMs] = [await cpuSeconds(pid), performance.now()];
  await sleep(plan.windowMs);
  const [cpu, ms] = [(await cpuSeconds(pid)) - fromCpu, performance.now() - fromMs];
  const after = await sentBy(client, node);
  const secondsBetween = (after.atMs - before.atMs) / 1000;
  return {
    cpu: (100_000 * cpu) / ms,
    framesPerSecond: (after.frames - before.frames) / secondsBetween,
    bytesPerSecond: (after.bytes - before.bytes) / secondsBetween,
  };
}

async function sentBy(client: Client, node: number) {
  const { counters } = await client.cluster.status({ node });
  if (counters === null) throw new Error(`node ${node} tells no counters`);
  const { peerFramesSent: frames, peerBytesSent: bytes } = counters;
  return { atMs: performance.now(), frames, bytes };
}

/** What one kill did, ms. */
interface Loss {
  /** From the kill until every group has a leader that is alive, as the others see it. */
  readonly ledMs: number;
  /** From the kill until a message to a group that the node led is answered, for each of them. */
  readonly answerMs: readonly number[];
  /** From the last of these until all groups sleep on the other nodes. */
  readonly asleepMs: number;
  /** From its next start until each node leads its share again. */
  readonly spreadMs: number;
}

async function killOne(
  scene: Scene,
  {
    probes,
    kill,
    seed,
  }: { readonly probes: Counters; readonly kill: number; readonly seed: number },
): Promise<Loss> {
  const { cluster, client } = scene;
  await asleepAfter(scene, performance.now());
  const victim = cluster.node(1 + (kill % cluster.nodes.length));
  const led = await groupsLedBy(client, victim.id);
  const targets = sample(led, scene.plan.probes, makePrng(seed).fork(`kill ${kill}`));
  const shots = targets.map((group) => probes.add(probes.document(keyIn(group, scene.plan))));
  // Its death is what the clock starts at, not the news of it.
  const gone = victim.stop('SIGKILL');
  const killedMs = performance.now();
  const [ledMs, ...answerMs] = await Promise.all([
    ledAfter(scene, killedMs, victim.id),
    ...shots.map(async ({ document, channel, payload }) => {
      await document.send(channel, payload);
      return performance.now() - killedMs;
    }),
  ]);
  await gone;
  const asleepMs = await asleepAfter(scene, performance.now(), victim.id);
  const startedMs = performance.now();
  await victim.start();
  return { ledMs, answerMs, asleepMs, spreadMs: await spreadAfter(scene, startedMs) };
}

function sample<T>(all: readonly T[], count: number, random: Prng): T[] {
  const left = [...all];
  const drawn = Array.from({ length: Math.min(count, left.length) }, () =>
    left.splice(random.below(left.length), 1),
  );
  return drawn.flat();
}

async function groupsLedBy(client: Client, node: number): Promise<number[]> {
  const { groups } = await client.cluster.status({ node });
  return groups
    .filter(({ group, leader }) => group > 0 && leader === node)
    .map(({ group }) => group);
}

/** The key of a document in a group. */
function keyIn(group: number, { groups }: Plan): string {
  for (let n = 0; ; n++) {
    const key = `group-${group}-${n}`;
    if (groupOf(SPACE, key, groups) === group) return key;
  }
}

/** Milliseconds since `sinceMs` until one of the nodes sees a leader of every group, which is not `dead`. */
function ledAfter({ cluster, client }: Scene, sinceMs: number, dead = 0): Promise<number> {
  const { id: node } = cluster.nodes.find(({ id }) => id !== dead)!;
  return until('every group has a leader', { sinceMs, pollMs: LED_POLL_MS }, async () => {
    const { groups } = await client.cluster.status({ node });
    return groups.every(({ leader }) => leader !== 0 && leader !== dead);
  });
}

/** The same until each node leads as many groups as the others, and all say so. */
function spreadAfter(scene: Scene, sinceMs: number): Promise<number> {
  return until('leaders are spread', { sinceMs, pollMs: REST_POLL_MS }, () =>
    everyNode(scene, 0, ({ groups, members }) =>
      members.every(({ node }) => {
        const led = groups.filter(({ leader }) => leader === node).length;
        return Math.abs(led - groups.length / members.length) <= 1;
      }),
    ),
  );
}

/** The same until all groups sleep on every node but `dead`. */
function asleepAfter(scene: Scene, sinceMs: number, dead = 0): Promise<number> {
  return until('all groups sleep', { sinceMs, pollMs: REST_POLL_MS }, () =>
    everyNode(scene, dead, ({ groups }) => groups.every(({ asleep }) => asleep)),
  );
}

async function everyNode(
  { cluster, client }: Scene,
  dead: number,
  is: (status: NodeStatus) => boolean,
): Promise<boolean> {
  const living = cluster.nodes.filter(({ id }) => id !== dead);
  const all = await Promise.all(living.map(({ id }) => client.cluster.status({ node: id })));
  return all.every(is);
}

/** Milliseconds from `sinceMs` until it is so. A node that does not answer yet says that it is not. */
async function until(
  what: string,
  { sinceMs, pollMs }: { readonly sinceMs: number; readonly pollMs: number },
  is: () => Promise<boolean>,
): Promise<number> {
  const endMs = performance.now() + WAIT_MS;
  let failure: DeltabaseError | undefined;
  while (performance.now() < endMs) {
    try {
      if (await is()) return performance.now() - sinceMs;
    } catch (thrown) {
      if (!(thrown instanceof DeltabaseError)) throw thrown;
      failure = thrown;
    }
    await sleep(pollMs);
  }
  throw new Error(`waited in vain until ${what}`, { cause: failure });
}

interface Findings {
  readonly few: Rest;
  readonly rest: Rest;
  readonly startMs: number;
  readonly spreadMs: number;
  readonly losses: readonly Loss[];
}

function summarize(
  context: BenchContext,
  plan: Plan,
  { few, rest, startMs, spreadMs, losses }: Findings,
): Omit<Measured, 'checksum'> {
  const groups = plan.groups.toLocaleString('en-US');
  const restRow = (what: string, of: (rest: Rest) => readonly number[]): string[] => [
    what,
    cell(spreadOf(of(rest))),
    cell(spreadOf(of(few))),
  ];
  const timeRow = (what: string, ms: readonly number[]): string[] => [
    `${what}, s`,
    cell(spreadOf(ms.map((one) => one / 1000))),
    '',
  ];
  const lossRow = (what: string, of: (loss: Loss) => number): string[] =>
    timeRow(what, losses.map(of));
  return {
    columns: ['what', `${groups} groups`, `${plan.fewGroups} groups`],
    rows: [
      restRow('CPU of a node, all asleep, % of a core', ({ cpu }) => cpu),
      restRow('frames that it sends in a second', ({ framesPerSecond }) => framesPerSecond),
      restRow('bytes of them', ({ bytesPerSecond }) => bytesPerSecond),
      restRow('its resident memory, MB', ({ megabytes }) => megabytes),
      timeRow('first start, until all are led', [startMs]),
      timeRow('first start, until each node leads its share', [spreadMs]),
      lossRow('kill -9 of a node, until all are led', ({ ledMs }) => ledMs),
      timeRow(
        'until a message to one that it led is answered',
        losses.flatMap(({ answerMs }) => answerMs),
      ),
      lossRow('from then on until all sleep', ({ asleepMs }) => asleepMs),
      lossRow('its next start, until it leads its share', ({ spreadMs: ms }) => ms),
    ],
    notes: [
      required(context, {
        what: `CPU of a node with ${groups} groups, all asleep, median,`,
        is: 'at most',
        limit: 3,
        measured: spreadOf(rest.cpu).median,
        unit: ' % of a core',
      }),
      `${plan.windows} windows of ${plan.windowMs / 1000} s on each node, and ${losses.length} kills.`,
    ],
  };
}

function seconds(ms: number): number {
  return round(ms / 1000);
}
