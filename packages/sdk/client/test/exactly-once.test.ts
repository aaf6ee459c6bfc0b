// The client's promise under everything that can happen to it (sending/lane.ts): every message settles, takes
// effect exactly once or not at all as its answer says, and a document's messages in the order of the calls.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeltabaseError } from '@deltabase/base';
import fc from 'fast-check';
import { type CallOptions, type Client, type ConnectOptions, connect } from '../src/index.js';
import { FakeCluster } from './support/fake-cluster.js';
import type { Order } from './support/fake-group.js';
import { VirtualWorld } from './support/virtual-world.js';

const SPACE = 'test';

interface Plan {
  readonly seed: number;
  readonly documents: number;
  readonly messages: number;
  readonly groups: number;
  readonly breakMs: number;
  readonly moveMs: number;
  readonly killMs: number;
  readonly rotateMs: number;
  readonly overload: number;
  readonly staleBelief: number;
  readonly silentPercent: number;
  readonly inFlightMax: number;
  readonly inFlightBytesMax: number;
  readonly giveUpPercent: number;
}

const plans: fc.Arbitrary<Plan> = fc.record({
  seed: fc.integer({ min: 0, max: 0x7fffffff }),
  documents: fc.integer({ min: 1, max: 4 }),
  messages: fc.integer({ min: 10, max: 150 }),
  groups: fc.integer({ min: 1, max: 3 }),
  breakMs: fc.constantFrom(0, 30, 100),
  moveMs: fc.constantFrom(0, 25, 80),
  killMs: fc.constantFrom(0, 150, 400),
  rotateMs: fc.constantFrom(15, 100, 1_000_000),
  overload: fc.constantFrom(0, 0, 50),
  staleBelief: fc.constantFrom(0, 100),
  silentPercent: fc.constantFrom(0, 40, 70),
  inFlightMax: fc.constantFrom(3, 40, 1000),
  inFlightBytesMax: fc.constantFrom(1000, 1_000_000),
  giveUpPercent: fc.constantFrom(0, 0, 20),
});

/** Found that a single message in question must be asked about too, unless it is the first. */
const QUESTION_ABOUT_ONE: Plan = {
  seed: 894900007,
  documents: 1,
  messages: 50,
  groups: 2,
  breakMs: 30,
  moveMs: 25,
  killMs: 400,
  rotateMs: 1_000_000,
  overload: 50,
  staleBelief: 0,
  silentPercent: 70,
  inFlightMax: 1000,
  inFlightBytesMax: 1_000_000,
  giveUpPercent: 0,
};

interface Sent {
  readonly token: string;
  readonly key: string;
  readonly order: number;
  readonly mode: Order['mode'];
  /** Its caller may give it up. */
  readonly isImpatient: boolean;
  outcome: { seq: number; reply: unknown } | DeltabaseError | undefined;
  settledTimes: number;
}

test('each message takes effect once, in order per document, whatever goes wrong', async () => {
  await fc.assert(fc.asyncProperty(plans, runPlan), {
    numRuns: runs(),
    examples: [[QUESTION_ABOUT_ONE]],
    includeErrorInReport: true,
  });
});

/**
 * Nodes stand still with copies of messages for longer than anybody waits. Each document has one message of the
 * client under test, so that nothing but its answer is at stake; another client changes what it would be now.
 */
test('a copy that comes late never contradicts the answer that was given', async () => {
  let late = 0;
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 0x7fffffff }), async (seed) => {
      late += await runLatePlan({ ...QUESTION_ABOUT_ONE, seed, documents: 1000, groups: 2 });
    }),
    { numRuns: runs(), includeErrorInReport: true },
  );
  assert.ok(late > 0, 'messages were refused that were sent more than once');
});

/** Returns how many messages were refused that had been sent more than once. */
async function runLatePlan(plan: Plan): Promise<number> {
  const world = new VirtualWorld(plan.seed);
  const cluster = new FakeCluster(world, { nodes: 3, groups: plan.groups });
  cluster.weather.lateFrames = 700;
  const limits = { retryMsMax: 100, reconnectMsMax: 100 };
  const client = await connectTo(world, cluster, { limits });
  const other = await connectTo(world, cluster, { limits });
  let storm = true;
  trouble(world, cluster, plan, () => storm);
  const sent: Sent[] = [];
  for (let order = 0; order < plan.messages; order++) {
    sent.push(sendOne(world, client, { ...plan, silentPercent: 100 }, order));
    await world.run(world.below(20));
    const { key } = sent[world.below(sent.length)]!;
    const payload = { token: `other-${order}`, mode: 'append', padding: '' };
    const { deadlineMs } = { deadlineMs: 60_000 };
    other
      .document(SPACE, key)
      .send('run', payload, { deadlineMs })
      .catch(() => {});
  }
  await world.run(100);
  storm = false;
  await world.runUntil(() => sent.every(({ outcome }) => outcome !== undefined));
  await world.run(1000);
  for (const one of sent) {
    const { executed } = cluster.groupFor(SPACE, one.key);
    const tokens = cluster.tokens(SPACE, one.key);
    checkOutcome(one, tokens.indexOf(one.token), executed);
  }
  await settleClose(world, client, other);
  const copies = cluster.copies;
  const isRefused = ({ outcome }: Sent): boolean =>
    outcome instanceof DeltabaseError && outcome.code === 'REJECTED';
  return sent.filter((one) => isRefused(one) && copies.get(one.token)! > 1).length;
}

async function settleClose(world: VirtualWorld, ...clients: readonly Client[]): Promise<void> {
  let open = clients.length;
  for (const client of clients) void client.close({ abandon: true }).then(() => open--);
  await world.runUntil(() => open === 0);
}

/** RUNS=20000 looks longer. */
function runs(): number {
  return Number(process.env['RUNS'] ?? 300);
}

async function runPlan(plan: Plan): Promise<void> {
  const world = new VirtualWorld(plan.seed);
  const cluster = new FakeCluster(world, { nodes: 3, groups: plan.groups });
  const client = await connectTo(world, cluster, {
    limits: {
      sessionAgeMsMax: plan.rotateMs,
      inFlightMax: plan.inFlightMax,
      inFlightBytesMax: plan.inFlightBytesMax,
      sessionWidthMax: 20,
      sessionsMax: 6,
      retryMsMax: 100,
      reconnectMsMax: 100,
    },
  });
  let storm = true;
  trouble(world, cluster, plan, () => storm);
  const sent: Sent[] = [];
  for (let order = 0; order < plan.messages; order++) {
    sent.push(sendOne(world, client, plan, order));
    if (world.below(3) === 0) await world.run(world.below(6));
  }
  await world.run(100);
  storm = false;
  await world.runUntil(() => sent.every(({ outcome }) => outcome !== undefined));
  check(cluster, sent);
  let isClosed = false;
  void client.close().then(() => {
    isClosed = true;
  });
  await world.runUntil(() => isClosed);
}

function sendOne(world: VirtualWorld, client: Client, plan: Plan, order: number): Sent {
  const key = `document-${world.below(plan.documents)}`;
  const silent = (['odd', 'even', 'read'] as const)[world.below(3)]!;
  const mode = world.below(100) < plan.silentPercent ? silent : 'append';
  const token = `t${order}`;
  const payload: Order = { token, mode, padding: 'x'.repeat(world.below(5) === 0 ? 400 : 0) };
  const isImpatient = world.below(100) < plan.giveUpPercent;
  const options = isImpatient ? giveUp(world) : {};
  const sent: Sent = {
    token,
    key,
    order,
    mode,
    isImpatient,
    outcome: undefined,
    settledTimes: 0,
  };
  const settle = (outcome: Sent['outcome']): void => {
    sent.outcome = outcome;
    sent.settledTimes++;
  };
  client
    .document(SPACE, key)
    .send('run', { ...payload }, options)
    .then(settle, settle);
  return sent;
}

/** A caller that does not wait for long. */
function giveUp(world: VirtualWorld): CallOptions {
  if (world.below(2) === 0) return { deadlineMs: 1 + world.below(60) };
  const controller = new AbortController();
  world.after(world.below(60), () => controller.abort());
  return { signal: controller.signal };
}

function trouble(world: VirtualWorld, cluster: FakeCluster, plan: Plan, goesOn: () => boolean) {
  const every = (ms: number, happen: () => void): void => {
    if (ms === 0) return;
    world.after(world.below(2 * ms), () => {
      if (!goesOn()) return;
      happen();
      every(ms, happen);
    });
  };
  const anyNode = (): number => 1 + world.below(3);
  cluster.weather.overload = plan.overload;
  cluster.weather.staleBelief = plan.staleBelief;
  every(plan.breakMs, () => cluster.breakStreams(anyNode()));
  every(plan.moveMs, () =>
    cluster.moveLeader(1 + world.below(plan.groups), anyNode(), world.below(40)),
  );
  every(plan.killMs, () => cluster.kill(anyNode(), 10 + world.below(100)));
  every(50, () => cluster.groups[1 + world.below(plan.groups)]!.forgetSilent());
  const calm = (): void => {
    if (goesOn()) {
      world.after(20, calm);
      return;
    }
    cluster.weather.overload = 0;
    cluster.weather.staleBelief = 0;
  };
  calm();
}

function check(cluster: FakeCluster, sent: readonly Sent[]): void {
  for (const key of new Set(sent.map((one) => one.key))) {
    const tokens = cluster.tokens(SPACE, key);
    assert.equal(new Set(tokens).size, tokens.length, `${key}: a message took effect twice`);
    const here = sent.filter((one) => one.key === key);
    const orders = tokens
      .map((token) => here.find((one) => one.token === token)!)
      .filter((one) => !wasGivenUp(one))
      .map((one) => one.order);
    assert.deepEqual(
      orders,
      [...orders].sort((a, b) => a - b),
      `${key}: out of order`,
    );
    const { executed } = cluster.groupFor(SPACE, key);
    for (const one of here) {
      checkOutcome(one, tokens.indexOf(one.token), executed);
      checkView(one, here, tokens);
    }
  }
}

/** What changed nothing saw the document between what was called before and what was called after. */
function checkView(
  { outcome, order, mode }: Sent,
  all: readonly Sent[],
  tokens: readonly string[],
) {
  let seen: number;
  if (outcome instanceof DeltabaseError) {
    if (outcome.code !== 'REJECTED') return;
    seen = Number(/there are (\d+)/.exec(outcome.message)![1]);
  } else {
    if (mode !== 'read') return;
    seen = outcome!.seq;
  }
  for (const other of all) {
    const at = tokens.indexOf(other.token);
    if (at === -1 || wasGivenUp(other) || other.order === order) continue;
    const wasBefore = at < seen;
    assert.equal(
      wasBefore,
      other.order < order,
      `${order} saw ${seen} tokens, ${other.order} is at ${at}`,
    );
  }
}

function wasGivenUp({ outcome }: Sent): boolean {
  if (!(outcome instanceof DeltabaseError)) return false;
  return outcome.code === 'CANCELLED' || outcome.code === 'DEADLINE_EXCEEDED';
}

function checkOutcome(sent: Sent, at: number, executed: ReadonlySet<string>): void {
  const { token, mode, outcome, settledTimes } = sent;
  assert.equal(settledTimes, 1, `${token} settled ${settledTimes} times`);
  if (outcome instanceof DeltabaseError) {
    const { code, details } = outcome;
    if (wasGivenUp(sent)) assert.ok(sent.isImpatient, `${token} was given up: ${outcome.message}`);
    if (details['outcomeUnknown'] === true) return;
    assert.equal(at, -1, `${token} failed with ${code} and took effect`);
    if (wasGivenUp(sent)) return;
    const isLost = details['answerLost'] === true;
    assert.ok(isLost || code === 'REJECTED', `${token} failed with ${code}: ${outcome.message}`);
    assert.ok(
      executed.has(token),
      `${token} was never executed, but its answer is said to be lost`,
    );
  } else if (mode !== 'read') {
    assert.equal(at, outcome!.seq - 1, `${token} was answered with seq ${outcome!.seq}`);
    assert.equal(outcome!.reply, token, 'the answer belongs to another message');
  }
}

/** Connects while virtual time passes. */
async function connectTo(
  world: VirtualWorld,
  cluster: FakeCluster,
  options: Partial<ConnectOptions>,
): Promise<Client> {
  let client: Client | undefined;
  let failed: unknown;
  const all = { addresses: cluster.addresses.slice(0, 1), world, transport: cluster, ...options };
  connect(all).then(
    (connected) => {
      client = connected;
    },
    (thrown) => {
      failed = thrown;
    },
  );
  await world.runUntil(() => client !== undefined || failed !== undefined);
  if (client === undefined) throw failed;
  return client;
}
