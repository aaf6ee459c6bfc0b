// One run of a whole cluster under faults, made from a seed: clients send, read and watch while the plan's faults
// happen; in the end everything is healed and every promise is checked. Equal seeds give equal runs, event for event.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type DeltabaseError, decodeUtf8, type Prng } from '@deltabase/base';
import type { NodeId, ReadMode, ReplicaStatus } from '@deltabase/engine';
import type { RegisterInput } from '../check/register.js';
import type { Cluster } from '../cluster/cluster.js';
import type { Server } from '../cluster/server.js';
import type { SimulatedClient } from '../cluster/simulated-client.js';
import type { Sending } from '../cluster/simulated-session.js';
import { TokenCluster } from '../cluster/token-cluster.js';
import { countSnapshots } from '../disk/inspect-rows.js';
import type { TokenChannel } from '../machines/token-machine.js';
import { type Coverage, signsIn } from './coverage.js';
import type { Damage, FaultHost } from './faults/fault.js';
import { FAULTS } from './faults/index.js';
import { goOnWithoutMinority } from './minority.js';
import { NodeFates } from './node-fates.js';
import { Operator } from './operator.js';
import type { ClientPlan, Plan } from './plan.js';
import { injectedOf } from './report.js';

export interface RunOptions {
  readonly plan: Plan;
  readonly coverage: Coverage;
  /** Told of every log line, answer and fault. */
  readonly trace?: (line: string) => void;
}

/** What a run amounts to; equal for equal plans. */
export interface RunResult {
  /** Of every event, log line and answer, in order. */
  readonly hash: string;
  readonly events: number;
  readonly accepted: number;
  /** Virtual time, ms. */
  readonly tookMs: number;
}

const CHANNELS: readonly TokenChannel[] = [
  'append',
  'append',
  'append',
  'append_much',
  'look',
  'refuse',
  'append_and_refuse',
  'append_and_trap',
];

/** Runs a plan. Throws what it finds wrong. */
export function runPlan(options: RunOptions): RunResult {
  return new Run(options).run();
}

interface AwaitedLine {
  readonly is: (line: string) => boolean;
  readonly then: (node: NodeId) => void;
}

class Run implements FaultHost {
  readonly tokens: TokenCluster;
  readonly cluster: Cluster;
  readonly groups: number;
  readonly operator: Operator;
  readonly #plan: Plan;
  readonly #coverage: Coverage;
  readonly #trace: (line: string) => void;
  readonly #hash = createHash('sha256');
  readonly #chance: Prng;
  readonly #fates: NodeFates;
  readonly #clients: Array<{ client: SimulatedClient; readonly plan: ClientPlan }> = [];
  #clientsMade = 0;
  /** What faults have counted. */
  #counted = 0;
  /** Deltas to replicas that did not come as they should. */
  #damaged = 0;
  #awaited: AwaitedLine[] = [];
  #endMs = 0;

  constructor({ plan, coverage, trace = () => {} }: RunOptions) {
    const { seed, nodes, groups, limits, machines, checksFrames } = plan;
    this.#plan = plan;
    this.#coverage = coverage;
    this.#trace = (line) => {
      this.#hash.update(line);
      for (const sign of signsIn(line)) coverage.count(sign);
      this.#checkUnfit(line);
      trace(line);
      this.#countSnapshot(line);
      this.#tellLine(line);
    };
    const observer = {
      failed: (id: NodeId, error: DeltabaseError | undefined) => this.#fates.failed(id, error),
      refused: (id: NodeId, error: DeltabaseError) => this.#fates.refused(id, error),
      expelled: (id: NodeId) => this.#fates.expelled(id),
      replicaEnding: (status: ReplicaStatus) => this.#coverReplica(status),
    };
    const options = { seed, nodes, groups, limits, machines, checksFrames, observer };
    this.tokens = new TokenCluster({
      ...options,
      storage: 'level',
      trace: this.#trace,
      reached: (limit) => coverage.count(`a queue was full: ${limit}`),
      servedByReplica: (mode) => coverage.count(`a replica answered a read: ${wordOf(mode)}`),
      watcherWent: (from, to) => coverage.count(wayOf(from, to)),
    });
    this.cluster = this.tokens.cluster;
    this.cluster.weather.ordered = plan.orderedFrames;
    this.#chance = this.cluster.simulation.random.fork('clients');
    this.#fates = new NodeFates(this);
    this.groups = groups;
    this.operator = new Operator({ run: this, isDamaged: (id) => this.#fates.isDamaged(id) });
  }

  run(): RunResult {
    const { tokens } = this;
    const { simulation } = this.cluster;
    const { forMs } = this.#plan;
    tokens.start();
    for (const replica of this.#plan.replicas) this.cluster.addReplica(replica).start();
    this.#endMs = simulation.nowMs + forMs;
    this.#beginClients();
    this.#beginFaults();
    tokens.run(forMs);
    this.#trace(`${simulation.nowMs.toFixed(1)} faults end`);
    this.#heal();
    tokens.check();
    this.#coverEnd();
    const histories = [...tokens.histories.values()];
    const accepted = histories.reduce((sum, { acceptedCount }) => sum + acceptedCount, 0);
    this.#hash.update(String(simulation.digest));
    const { events, nowMs: tookMs } = simulation;
    return { hash: this.#hash.digest('hex'), events, accepted, tookMs };
  }

  // What faults may do.

  count(what: string): void {
    if (DAMAGE.test(what)) this.#damaged++;
    this.#counted++;
    this.#coverage.count(what);
    this.#trace(`${this.cluster.simulation.nowMs.toFixed(1)} fault: ${what}`);
  }

  later(meanMs: number, chance: Prng, run: () => void): void {
    const { simulation } = this.cluster;
    simulation.schedule(chance.fraction() * 2 * meanMs, () => {
      if (simulation.nowMs < this.#endMs) run();
    });
  }

  crash(id: NodeId, inFlight: 'kept' | 'lost'): void {
    this.#fates.crash(id, inFlight);
  }

  stop(id: NodeId): void {
    this.#fates.stop(id);
  }

  drains(id: NodeId): void {
    this.#fates.drains(id);
  }

  startLater(id: NodeId, meanMs: number, chance: Prng): void {
    this.later(meanMs, chance, () => this.#fates.start(id));
  }

  expectFailure(id: NodeId): void {
    this.#fates.expectFailure(id);
  }

  mayDamage(id: NodeId): boolean {
    return this.#fates.mayDamage(id);
  }

  get isAnyDamaged(): boolean {
    return this.#fates.isAnyDamaged;
  }

  damaged(id: NodeId, damage: Damage): void {
    this.#fates.damaged(id, damage);
  }

  awaitLine(is: (line: string) => boolean, then: (node: NodeId) => void): void {
    this.#awaited.push({ is, then });
  }

  replaceClient(chance: Prng): void {
    const slot = this.#clients[chance.below(this.#clients.length)]!;
    slot.client.die();
    slot.client = this.#makeClient(slot.plan);
  }

  /** What fits replicas get, unless it was damaged on its way; and no document goes back. */
  #checkUnfit(line: string): void {
    const isUnfit = line.includes(' copy-unfit ') && this.#damaged === 0;
    assert.ok(!isUnfit && !line.includes(' copy-went-back '), line);
  }

  /** Counts snapshots that meet a change of their group's configuration. */
  #countSnapshot(line: string): void {
    const found = / snapshot-(begun|installed) \{"group":(\d+)/.exec(line);
    if (found === null) return;
    const { confs } = this.tokens;
    const group = Number(found[2]);
    const what = `a snapshot was ${found[1]} while its group`;
    if (confs.isChanging(group)) this.#coverage.count(`${what} changed its members`);
    if (confs.isJoint(group)) this.#coverage.count(`${what} was joint, or about to be`);
  }

  /** Of a line of a node: who waits for it goes on once the node's turn is over. */
  #tellLine(line: string): void {
    if (this.#awaited.length === 0) return;
    const node = Number(/^[0-9.]+ n(\d+) /.exec(line)?.[1]);
    const found = this.#awaited.filter(({ is }) => is(line));
    if (Number.isNaN(node) || found.length === 0) return;
    this.#awaited = this.#awaited.filter((one) => !found.includes(one));
    for (const { then } of found) this.cluster.simulation.schedule(0, () => then(node));
  }

  // Load.

  #beginClients(): void {
    for (const plan of this.#plan.clients) {
      const slot = { client: this.#makeClient(plan), plan };
      this.#clients.push(slot);
      this.#often(this.#chance, plan.paceMs, this.#endMs, () => this.#act(slot.client, plan));
    }
    for (const [at, plan] of this.#plan.watches.entries()) {
      this.tokens.watch(`w${at}`, this.#list(at), { stallMsMax: 300 * (at % 2), ...plan });
    }
  }

  #makeClient({ ordered }: ClientPlan): SimulatedClient {
    this.#clientsMade++;
    return this.tokens.client(`c${this.#clientsMade}`, { ordered });
  }

  #act(client: SimulatedClient, { openMax }: ClientPlan): void {
    const chance = this.#chance;
    const list = this.#list(chance.below(this.#plan.lists));
    const choice = chance.below(10);
    if (choice === 0) client.read(list, { kind: 'linearizable' });
    else if (choice === 1) client.read(list, this.#drawStale());
    else if (choice === 2) client.read(list, { kind: 'atLeast', seq: chance.below(60) });
    else if (choice === 3) client.readPast(list);
    else if (choice === 4) this.#retryOld(client);
    else if (client.openCount >= openMax) return;
    else if (choice < 7 && this.#plan.registers > 0) this.#change(client);
    else {
      for (let count = 1 + chance.below(4); count > 0; count--) {
        client.send(list, CHANNELS[chance.below(CHANNELS.length)]!);
      }
    }
  }

  #drawStale(): ReadMode {
    const withinMs = [undefined, 0, 100, 1000][this.#chance.below(4)];
    return withinMs === undefined ? { kind: 'stale' } : { kind: 'stale', withinMs };
  }

  #change(client: SimulatedClient): void {
    const chance = this.#chance;
    const value = `v${chance.below(1_000_000)}`;
    const inputs: RegisterInput[] = [
      { kind: 'put', value },
      { kind: 'compareAndSet', version: chance.below(30), value },
      { kind: 'delete' },
      { kind: 'get' },
    ];
    client.change(`r${chance.below(this.#plan.registers)}`, inputs[chance.below(4)]!);
  }

  /** A message that has its answer is sent again, as by a client that never got it. */
  #retryOld(client: SimulatedClient): void {
    const answered = client.sendings.slice(-20).filter(mayComeAgain);
    if (answered.length === 0) return;
    this.#coverage.count('an answered message was sent again');
    client.retry(answered[this.#chance.below(answered.length)]!);
  }

  #list(at: number): string {
    return `k${at % this.#plan.lists}`;
  }

  // Faults.

  #beginFaults(): void {
    const { random, nowMs } = this.cluster.simulation;
    const untilMs = nowMs + this.#plan.faultsUntilMs;
    for (const { name, kind, inject } of FAULTS) {
      const meanMs = this.#plan.faults[name];
      if (meanMs === undefined) continue;
      const chance = random.fork(`fault ${name}`);
      this.#often(chance, meanMs, untilMs, () => {
        const before = this.#counted;
        inject(this, chance);
        if (this.#counted > before) this.#coverage.count(injectedOf(kind));
      });
    }
  }

  #often(chance: Prng, meanMs: number, untilMs: number, run: () => void): void {
    this.later(meanMs, chance, () => {
      if (this.cluster.simulation.nowMs >= untilMs) return;
      run();
      this.#often(chance, meanMs, untilMs, run);
    });
  }

  #heal(): void {
    this.#awaited = [];
    this.#fates.settle();
    if (this.#keepsMembers) {
      goOnWithoutMinority(this, this.#chance.fork('minority'), this.#plan.limits);
    }
    this.tokens.heal();
    this.#fates.settleRestored();
    this.operator.settle();
    // A cluster that is healed takes messages again, in every group.
    this.tokens.sendToEveryGroup('healed');
  }

  /** Whether all nodes are members still, and those that are not lost have all that they had. */
  get #keepsMembers(): boolean {
    const { faults } = this.#plan;
    const changesMembers = FAULTS.some(({ name, kind }) => kind === 'members' && name in faults);
    return !changesMembers && !this.#fates.isAnyRestored;
  }

  #coverReplica({ connections, resyncs, evictions, orders, via }: ReplicaStatus): void {
    const coverage = this.#coverage;
    coverage.count('a replica went to an upstream', connections);
    coverage.count('a live copy began anew', resyncs);
    coverage.count('a live copy was let go of', evictions);
    coverage.count('a replica was fed by another one', via.length > 0 ? 1 : 0);
    coverage.count('a replica kept a copy by order', orders);
  }

  #coverEnd(): void {
    const { watches, clients, living } = this.tokens;
    const coverage = this.#coverage;
    for (const id of living) {
      coverage.count('a snapshot was installed', countSnapshots(this.cluster.rows(id)));
    }
    for (const { replica } of this.cluster.replicas) {
      if (replica !== undefined) this.#coverReplica(replica.status());
    }
    for (const { begun, skipped, marks, isOfView } of watches) {
      coverage.count('a watch went on behind a seq', begun.behindSeq);
      coverage.count('a watch got several deltas in one', skipped.composed);
      coverage.count('a watch got the state in place of what it missed', skipped.state);
      coverage.count('a watch of some positions was told that nothing had changed', marks);
      if (isOfView)
        coverage.count('a watch of some positions went on behind a seq', begun.behindSeq);
    }
    for (const { sendings } of clients) {
      const retried = sendings.filter(({ attempts }) => attempts > 1).length;
      coverage.count('a message was sent again', retried);
    }
    for (const engine of this.cluster.engines()) {
      const { counters, groups } = engine.status();
      coverage.count('a message was passed on', counters.messagesForwarded);
      coverage.count('ticks were left out', counters.ticksMissed);
      coverage.count('a log was compacted', groups.filter((it) => it.firstIndex > 1).length);
      coverage.count('a leader was elected anew', groups.filter(({ term }) => term > 2).length);
    }
  }
}

const DAMAGE = /^a delta to a replica was /;

function wordOf(mode: ReadMode): string {
  return mode.kind === 'stale' && mode.withinMs !== undefined ? 'stale within a time' : mode.kind;
}

function wayOf(from: Server['kind'] | undefined, to: Server['kind']): string {
  if (from === undefined) return `a watch began at a ${to}`;
  return `a watch went on at a ${to} behind what a ${from} had given`;
}

/** Whether a late copy of an answered message may come. What was sent once and left no delta has none (decisions/0005). */
function mayComeAgain({ result, attempts, channel }: Sending): boolean {
  if (result?.kind !== 'accepted') return false;
  const isConflict = channel === 'compare_and_set' && decodeUtf8(result.reply!) === 'false';
  return attempts > 1 || !isConflict;
}
