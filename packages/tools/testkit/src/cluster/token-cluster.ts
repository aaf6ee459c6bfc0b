// A simulated cluster with the token machine on it: what tests of the whole engine begin with, and the check
// that every such test ends with.

import assert from 'node:assert/strict';
import type { Limits } from '@deltabase/base';
import { hashText, toJson } from '@deltabase/delta';
import type {
  DeployResult,
  Engine,
  MachineHost,
  NodeId,
  ReadRequest,
  ReadResult,
  ReadValue,
} from '@deltabase/engine';
import { groupOf } from '@deltabase/machine';
import { foldHistory } from '../check/fold-history.js';
import { Moments } from '../check/operation-log.js';
import { RaftWitness } from '../check/raft-witness.js';
import { ShownLogWitness } from '../check/shown-log-witness.js';
import { TokenHistory } from '../check/token-history.js';
import type { ScriptCall } from '../machines/script-machines.js';
import { makeTokenMachines, TOKEN_MODULES } from '../machines/token-machine.js';
import { CALM, Cluster } from './cluster.js';
import { SimulatedClient } from './simulated-client.js';
import type { ClusterObserver } from './simulated-node.js';
import { SimulatedWatch } from './simulated-watch.js';

export interface TokenClusterOptions {
  readonly seed: number;
  /** Default 3. */
  readonly nodes?: number;
  /** Default 1. */
  readonly groups?: number;
  readonly limits?: Partial<Limits>;
  /** Told of every log line and answer. */
  readonly trace?: (line: string) => void;
  /** Told of every message that runs. */
  readonly ran?: (call: ScriptCall) => void;
}

/** The space that the machine is deployed in. */
export const TOKENS = 'tokens';

const WITNESS_MS = 100;

export class TokenCluster {
  readonly cluster: Cluster;
  readonly histories = new Map<string, TokenHistory>();
  readonly clients: SimulatedClient[] = [];
  readonly watches: SimulatedWatch[] = [];
  readonly #options: TokenClusterOptions;
  readonly #shownLogs: ShownLogWitness;
  readonly #moments = new Moments();

  constructor(options: TokenClusterOptions) {
    const { seed, nodes = 3, groups = 1, limits = {}, trace, ran } = options;
    this.#options = options;
    const raft = new RaftWitness();
    const machines = (): MachineHost => makeTokenMachines(ran);
    const observer: ClusterObserver = {
      durable: (id, batch) => raft.durable(id, batch),
      replaced: (id, rows) => raft.replaced(id, rows),
      worked: (id, life, engine) => raft.worked(id, life, engine.positions()),
    };
    const base = { seed, nodes, groups, machines, limits, observer };
    this.cluster = new Cluster(trace === undefined ? base : { ...base, trace });
    this.#shownLogs = new ShownLogWitness(this.cluster);
  }

  /** Starts all nodes and deploys the machine. */
  start(): this {
    this.cluster.start();
    this.#shownLogs.lookEvery(WITNESS_MS);
    this.deploy();
    return this;
  }

  /** Deploys a machine through a node, or the first that runs. */
  deploy(module = TOKEN_MODULES[0]!, through?: NodeId): DeployResult {
    const { simulation } = this.cluster;
    const node = through ?? this.cluster.ids.find((id) => this.cluster.isUp(id))!;
    let result: DeployResult | undefined;
    this.cluster.engine(node).deploy(
      {
        space: TOKENS,
        module,
        expectedVersion: undefined,
        principal: 'tests',
        expiresMs: simulation.nowMs + 20_000,
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
    const { trace } = this.#options;
    const base = { cluster: this.cluster, name, space: TOKENS, ordered };
    const historyOf = (key: string): TokenHistory => this.historyOf(key);
    const client = new SimulatedClient(
      trace ? { ...base, historyOf, trace } : { ...base, historyOf },
    );
    this.clients.push(client);
    return client;
  }

  watch(name: string, key: string, stallMsMax = 0): SimulatedWatch {
    const history = this.historyOf(key);
    const { cluster } = this;
    const watch = new SimulatedWatch({ cluster, name, space: TOKENS, key, history, stallMsMax });
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
    const { simulation } = this.cluster;
    let result: ReadResult | undefined;
    this.cluster.engine(node).read(
      {
        space: TOKENS,
        key,
        pointer: '',
        mode: { kind: 'linearizable' },
        atSeq: undefined,
        expiresMs: simulation.nowMs + 5000,
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

  /** Ends all that disturbs: weather, cuts, stalls, wrong clocks; starts what is down. */
  heal(): void {
    const { cluster } = this;
    Object.assign(cluster.weather, CALM);
    for (const id of cluster.ids) {
      cluster.setLinks(id, 'whole');
      cluster.resume(id);
      cluster.mendDisk(id);
      cluster.setDisk(id, 'whole');
      cluster.setFreeBytes(id, 2 ** 40);
      cluster.setWallOffset(id, 0);
      cluster.setClockRate(id, 1);
      if (!cluster.isRunning(id)) cluster.startNode(id);
    }
    this.until(() => cluster.ids.every((id) => cluster.isUp(id)));
    cluster.awaitLeaders();
  }

  /**
   * Every promise is kept, after `heal`: each message is answered, all copies are the fold of the same deltas,
   * what was accepted is in them once and nothing else is, watchers have seen all of it.
   */
  check(): void {
    this.heal();
    this.settle(120_000);
    this.#awaitEqualLogs();
    for (const [key, history] of this.histories) this.#checkDocument(key, history);
    this.#shownLogs.look();
    this.run(1);
    for (const status of this.cluster.engines().map((engine) => engine.status())) {
      for (const group of status.groups) assert.equal(group.queued, 0, 'nothing waits any more');
    }
  }

  #awaitEqualLogs(): void {
    const { cluster } = this;
    this.until(() => {
      const all = cluster.engines().map((engine) => engine.status().groups);
      return all[0]!.every(({ group }) => {
        const places = all.map((groups) => groups[group]!);
        return places.every(
          ({ applied, lastIndex }) => applied === lastIndex && applied === places[0]!.applied,
        );
      });
    });
  }

  #checkDocument(key: string, history: TokenHistory): void {
    const copies = this.cluster.ids.map((id) => this.read(id, key, { mode: { kind: 'stale' } }));
    if (copies[0]!.kind === 'failed') {
      for (const copy of copies) assert.equal(copy.kind, 'failed', `${key}: equal on all nodes`);
      history.end([]);
      history.checkLinearizable();
      return;
    }
    const first = copies[0] as ReadValue;
    const tokens = JSON.parse(new TextDecoder().decode(first.value)) as unknown[];
    for (const copy of copies) {
      assert.ok(copy.kind === 'value' && copy.hash === first.hash, `${key}: equal on all nodes`);
      assert.equal(copy.seq, first.seq, `${key}: the same seq on all nodes`);
    }
    history.end(tokens);
    history.log.call({ kind: 'read' }).answered(history.list(tokens));
    history.checkLinearizable();
    for (const id of this.cluster.ids) this.#checkHistory(this.cluster.engine(id), key, first);
    const watches = this.watches.filter((watch) => watch.key === key);
    this.until(() => watches.every(({ seq }) => seq === first.seq));
    for (const watch of watches) assert.deepEqual(watch.tokens, tokens);
  }

  /** The deltas of all of a document's history fold to what it is (StateIsFold). */
  #checkHistory(engine: Engine, key: string, { seq, hash, value }: ReadValue): void {
    const fold = foldHistory(engine, TOKENS, key, (is) => this.until(is));
    assert.equal(fold.seq, seq, `${key}: history is whole`);
    assert.equal(hashText(fold.root), hash, `${key}: history folds to the state (StateIsFold)`);
    assert.equal(JSON.stringify(toJson(fold.root)), new TextDecoder().decode(value));
  }
}
