// A simulated cluster with the token machine on it: what tests of the whole engine begin with, and the check
// that every such test ends with.

import assert from 'node:assert/strict';
import type { Limits } from '@deltabase/base';
import type {
  DeployResult,
  MachineHost,
  NodeId,
  ReadMode,
  ReadRequest,
  ReadResult,
} from '@deltabase/engine';
import { groupOf } from '@deltabase/machine';
import { CommitTimes } from '../check/commit-times.js';
import { ConfWitness } from '../check/conf-witness.js';
import { checkEnd } from '../check/end-check.js';
import { Freshness } from '../check/freshness.js';
import { MemoryBounds } from '../check/memory-bounds.js';
import { Moments } from '../check/operation-log.js';
import { RaftWitness } from '../check/raft-witness.js';
import { RegisterHistory } from '../check/register-history.js';
import { ShownLogWitness } from '../check/shown-log-witness.js';
import { TokenHistory } from '../check/token-history.js';
import { ToldWitness } from '../check/told-witness.js';
import type { ScriptCall } from '../machines/script-machines.js';
import { makeTokenMachines, TOKEN_MODULES } from '../machines/token-machine.js';
import { makeWasmTokenMachines, tokenWasmModules } from '../machines/token-wasm.js';
import { CALM_STREAMS } from '../upstream/simulated-upstreams.js';
import { CALM, Cluster } from './cluster.js';
import type { Server } from './server.js';
import { SimulatedClient } from './simulated-client.js';
import type { ClusterObserver } from './simulated-node.js';
import { SimulatedWatch, type SimulatedWatchOptions } from './simulated-watch.js';

export interface TokenClusterOptions {
  readonly seed: number;
  /** Default 3. */
  readonly nodes?: number;
  /** Default 1. */
  readonly groups?: number;
  readonly limits?: Partial<Limits>;
  /** Told of every log line and answer. */
  readonly trace?: (line: string) => void;
  /** Told of every message that runs in a script. */
  readonly ran?: (call: ScriptCall) => void;
  /** Scripts (the default), or the same as real Wasm. */
  readonly machines?: 'script' | 'wasm';
  readonly storage?: 'memory' | 'level';
  /** Reads every frame that is sent and holds its promises against the sender's disk. */
  readonly checksFrames?: boolean;
  /** Told of each limit of memory that a queue has come to. */
  readonly reached?: (limit: keyof Limits) => void;
  /** Told of what becomes of nodes and replicas. */
  readonly observer?: Pick<ClusterObserver, 'failed' | 'refused' | 'expelled' | 'replicaEnding'>;
  /** Told of each read that a replica has answered with a document. */
  readonly servedByReplica?: (mode: ReadMode) => void;
  /** Told of each attempt of a watcher: where it goes on from, if it does, and where it goes. */
  readonly watcherWent?: (from: Server['kind'] | undefined, to: Server['kind']) => void;
}

/** The space that the machine is deployed in. */
export const TOKENS = 'tokens';

const WITNESS_MS = 100;

export class TokenCluster {
  readonly cluster: Cluster;
  readonly histories = new Map<string, TokenHistory>();
  readonly registers = new Map<string, RegisterHistory>();
  readonly clients: SimulatedClient[] = [];
  readonly watches: SimulatedWatch[] = [];
  /** Nodes whose data is damaged: they do not come back. */
  readonly lost = new Set<NodeId>();
  readonly space = TOKENS;
  /** The modules that can be deployed; all do the same. */
  readonly modules: readonly Uint8Array[];
  readonly #raft = new RaftWitness();
  /** What all nodes have on their disks. */
  readonly logs = this.#raft.logs;
  readonly confs: ConfWitness;
  readonly #options: TokenClusterOptions;
  readonly #shownLogs: ShownLogWitness;
  readonly #memory: MemoryBounds;
  readonly #moments = new Moments();
  readonly #commits: CommitTimes;
  readonly #freshness: Freshness;

  constructor(options: TokenClusterOptions) {
    const { seed, nodes = 3, groups = 1, limits = {}, storage = 'memory', trace, ran } = options;
    this.#options = options;
    const raft = this.#raft;
    const told = new ToldWitness(raft.logs);
    const isWasm = options.machines === 'wasm';
    this.modules = isWasm ? tokenWasmModules() : TOKEN_MODULES;
    const machines = (soon: (run: () => void) => void): MachineHost =>
      isWasm ? makeWasmTokenMachines(soon) : makeTokenMachines(ran);
    const observer: ClusterObserver = {
      ...options.observer,
      ...(options.checksFrames && { sent: told.sent.bind(told) }),
      durable: (id, batch) => {
        raft.durable(id, batch);
        this.confs.durable(id);
      },
      replaced: (id, rows) => raft.replaced(id, rows),
      worked: (id, life, engine) => {
        const positions = engine.turned();
        raft.worked(id, life, positions);
        this.confs.worked(id, positions);
        for (const [group] of positions) this.#commits.committed(group, raft.committed(group));
      },
    };
    const base = { seed, nodes, groups, machines, limits, storage, observer };
    this.cluster = new Cluster(trace === undefined ? base : { ...base, trace });
    const nowMs = (): number => this.cluster.simulation.nowMs;
    this.#commits = new CommitTimes(nowMs);
    this.#freshness = new Freshness(this.#commits, nowMs);
    this.confs = new ConfWitness(raft, this.cluster.ids);
    this.#shownLogs = new ShownLogWitness(this.cluster);
    this.#memory = new MemoryBounds(this.cluster, options.reached);
  }

  /** The nodes whose data is whole. */
  get living(): readonly NodeId[] {
    return this.cluster.ids.filter((id) => !this.lost.has(id));
  }

  /** Starts all nodes and deploys the machine. */
  start(): this {
    this.cluster.start();
    this.#shownLogs.lookEvery(WITNESS_MS);
    this.#memory.lookEvery(WITNESS_MS);
    this.deploy();
    return this;
  }

  /** Deploys a machine through a node, or the first that runs. */
  deploy(module = this.modules[0]!, through?: NodeId): DeployResult {
    const node = through ?? this.cluster.ids.find((id) => this.cluster.isUp(id))!;
    let result: DeployResult | undefined;
    this.cluster.engine(node).deploy(
      {
        space: TOKENS,
        module,
        expectedVersion: undefined,
        principal: 'tests',
        expiresMs: this.cluster.monotonicMs(node) + 20_000,
      },
      (deployed) => {
        result = deployed;
      },
    );
    this.until(() => result !== undefined);
    assert.equal(result!.kind, 'deployed', JSON.stringify(result));
    return result!;
  }

  client(name: string, { ordered = false } = {}): SimulatedClient {
    const { trace, servedByReplica } = this.#options;
    const freshness = this.#freshness;
    const base = { cluster: this.cluster, name, space: TOKENS, ordered, freshness };
    const historyOf = (key: string): TokenHistory => this.historyOf(key);
    const registerOf = (key: string): RegisterHistory => this.registerOf(key);
    const histories = { historyOf, registerOf };
    const told = { ...(trace && { trace }), ...(servedByReplica && { servedByReplica }) };
    const client = new SimulatedClient({ ...base, ...histories, ...told });
    this.clients.push(client);
    return client;
  }

  watch(
    name: string,
    key: string,
    how: Pick<SimulatedWatchOptions, 'stallMsMax' | 'policy' | 'positions' | 'moveMs'> = {},
  ): SimulatedWatch {
    const { watcherWent: went } = this.#options;
    const what = { space: TOKENS, key, history: this.historyOf(key), freshness: this.#freshness };
    const base = { cluster: this.cluster, name, ...what, ...(went && { went }) };
    const watch = new SimulatedWatch({ ...base, ...how });
    this.watches.push(watch);
    return watch;
  }

  historyOf(key: string): TokenHistory {
    let history = this.histories.get(key);
    if (history === undefined) {
      history = new TokenHistory(key, this.#moments);
      this.histories.set(key, history);
    }
    return history;
  }

  registerOf(key: string): RegisterHistory {
    let history = this.registers.get(key);
    if (history === undefined) {
      history = new RegisterHistory(key, this.#moments);
      this.registers.set(key, history);
    }
    return history;
  }

  /** How many entries of a group are committed, as far as any node has known. */
  committed(group: number): number {
    return this.#raft.committed(group).length;
  }

  groupOf(key: string): number {
    return groupOf(TOKENS, key, this.#options.groups ?? 1);
  }

  /** The node that leads the group of a document, once all that run agree. */
  leaderOf(key: string): NodeId {
    this.cluster.awaitLeaders();
    return this.cluster.engines()[0]!.leaderOf(TOKENS, key);
  }

  /** The nodes that run and do not lead the group of a document. */
  followersOf(key: string): NodeId[] {
    const leader = this.leaderOf(key);
    return this.cluster.ids.filter((id) => id !== leader && this.cluster.isUp(id));
  }

  until(is: () => boolean, limitMs?: number): void {
    this.cluster.simulation.runUntil(is, limitMs);
  }

  run(forMs: number): void {
    this.cluster.simulation.runFor(forMs);
  }

  /** Waits until every message has its answer. */
  settle(limitMs?: number): void {
    this.until(() => this.clients.every(({ openCount }) => openCount === 0), limitMs);
  }

  /** What a node answers to a read. */
  read(node: NodeId, key: string, request: Partial<ReadRequest> = {}): ReadResult {
    let result: ReadResult | undefined;
    this.cluster.engine(node).read(
      {
        space: TOKENS,
        key,
        pointer: '',
        mode: { kind: 'linearizable' },
        atSeq: undefined,
        expiresMs: this.cluster.monotonicMs(node) + 5000,
        ...request,
      },
      (answer) => {
        result = answer;
      },
    );
    this.until(() => result !== undefined);
    return result!;
  }

  /** A read that must give a value; it is parsed. */
  valueAt(node: NodeId, key: string, request: Partial<ReadRequest> = {}) {
    const result = this.read(node, key, request);
    assert.ok(result.kind === 'value', JSON.stringify(result));
    return { ...result, json: JSON.parse(new TextDecoder().decode(result.value)) as unknown };
  }

  /** Sends a message to a document of every group. */
  sendToEveryGroup(name: string): void {
    const { groups = 1 } = this.#options;
    const client = this.client(name);
    const left = new Set(Array.from({ length: groups }, (_, at) => at + 1));
    for (let at = 0; left.size > 0; at++) {
      if (left.delete(this.groupOf(`${name}-${at}`))) client.send(`${name}-${at}`, 'append');
    }
  }

  /** Ends all that disturbs: weather, cuts, stalls, wrong clocks; starts what is down, unless it is lost. */
  mend(): void {
    const { cluster } = this;
    Object.assign(cluster.weather, CALM);
    Object.assign(cluster.streamWeather, CALM_STREAMS);
    cluster.upstreams.mendAll();
    for (const replica of cluster.replicas) {
      replica.resume();
      replica.clock.rate = 1;
      if (!replica.isUp) replica.start();
    }
    for (const id of cluster.everyId) cluster.setLinks(id, 'whole');
    for (const id of cluster.ids) {
      cluster.resume(id);
      cluster.mendDisk(id);
      cluster.setDisk(id, 'whole');
      cluster.setFreeBytes(id, 2 ** 40);
      cluster.setWallOffset(id, 0);
      cluster.setClockRate(id, 1);
      if (this.lost.has(id)) cluster.crash(id);
      else if (!cluster.isRunning(id)) cluster.startNode(id);
    }
  }

  /** Mends all, and waits until all nodes are there and agree who leads. */
  heal(): void {
    const { cluster } = this;
    this.mend();
    this.until(() => this.living.every((id) => cluster.isUp(id)));
    cluster.awaitLeaders();
  }

  /** Every promise is kept, after `heal` (end-check.ts). */
  check(): void {
    this.heal();
    checkEnd(this);
    this.#shownLogs.look();
    this.run(1);
  }
}
