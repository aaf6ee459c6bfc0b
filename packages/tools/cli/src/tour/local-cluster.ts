// The three nodes of the tour on this machine: started together, stopped together, and each started again when it
// dies, once the tour is over.

import { DeltabaseError } from '@deltabase/base';
import { addressesFrom, NODES } from './addresses.js';
import { removeRunRecord, writeRunRecord } from './data-folder.js';
import { type Death, NodeProcess } from './node-process.js';

export interface LocalClusterOptions {
  /** A folder that is there. */
  readonly data: string;
  readonly port: number;
  readonly env: NodeJS.ProcessEnv;
}

/** What happened to a node that is kept alive. */
export type NodeEvent =
  | { readonly kind: 'died'; readonly death: Death; readonly restartMs: number }
  | { readonly kind: 'restarted'; readonly node: NodeProcess }
  | { readonly kind: 'given-up'; readonly death: Death };

/** A node that stops in order takes about 2 s if all of them stop, and 10 s at most. */
const GRACE_MS = 15_000;
const RESTART_MS = 2000;
/** A node that dies so often within a minute will do so again. */
const DEATHS_MAX = 3;
const MINUTE_MS = 60_000;

export class LocalCluster {
  readonly nodes: readonly NodeProcess[];
  readonly #options: LocalClusterOptions;
  readonly #deaths = new Map<NodeProcess, number[]>();
  readonly #givenUp = new Set<NodeProcess>();
  readonly #lost: Promise<never>;
  #lose: (error: DeltabaseError) => void = () => {};
  #keepAlive: ((event: NodeEvent) => void) | undefined;
  #isStopping = false;

  constructor(options: LocalClusterOptions) {
    const { data, port, env } = options;
    this.#options = options;
    const members = addressesFrom(port);
    const died = (death: Death): void => this.#died(death);
    this.nodes = members.map((address) => new NodeProcess({ address, members, data, env, died }));
    this.#lost = new Promise((_resolve, reject) => {
      this.#lose = reject;
    });
    this.#lost.catch(() => {});
  }

  get addresses(): readonly string[] {
    return this.nodes.map(({ clientAddress }) => clientAddress);
  }

  /** Never resolves. Rejects with UNAVAILABLE when a node died and that cannot be mended. */
  get lost(): Promise<never> {
    return this.#lost;
  }

  /** Starts all nodes. */
  async start(): Promise<void> {
    for (const node of this.nodes) node.start();
    await this.#record();
  }

  /** From now on starts nodes again that die; tells what happens. */
  keepAlive(tell: (event: NodeEvent) => void): void {
    this.#keepAlive = tell;
  }

  /** Stops all nodes in order; resolves when they are gone. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(this.nodes.map((node) => node.stop(GRACE_MS)));
    await removeRunRecord(this.#options.data);
  }

  /** Ends all nodes at once. */
  kill(): void {
    this.#isStopping = true;
    for (const node of this.nodes) node.kill();
  }

  #died(death: Death): void {
    const tell = this.#keepAlive;
    if (this.#isStopping) return;
    if (tell === undefined) {
      this.#lose(deathError(death));
      return;
    }
    if (this.#isHopeless(death.node)) {
      tell({ kind: 'given-up', death });
      this.#givenUp.add(death.node);
      const left = this.nodes.length - this.#givenUp.size;
      if (2 * left <= this.nodes.length) this.#lose(noMajority(left));
      return;
    }
    tell({ kind: 'died', death, restartMs: RESTART_MS });
    setTimeout(() => this.#restart(death.node, tell), RESTART_MS);
  }

  /** Whether the node has died too often of late. */
  #isHopeless(node: NodeProcess): boolean {
    const now = performance.now();
    const deaths = [...(this.#deaths.get(node) ?? []), now].filter((at) => now - at < MINUTE_MS);
    this.#deaths.set(node, deaths);
    return deaths.length >= DEATHS_MAX;
  }

  #restart(node: NodeProcess, tell: (event: NodeEvent) => void): void {
    if (this.#isStopping) return;
    node.start();
    tell({ kind: 'restarted', node });
    this.#record().catch((thrown) => this.#lose(thrown));
  }

  #record(): Promise<void> {
    const { data, port } = this.#options;
    const nodes = this.nodes.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
    return writeRunRecord(data, { pid: process.pid, port, nodes });
  }
}

function deathError({ node, how, lastWords }: Death): DeltabaseError {
  const tail = lastWords.map((line) => `\n  ${line}`).join('');
  const why = `node ${node.id} ended ${how}. The end of its log, ${node.logFile}:${tail}`;
  return new DeltabaseError('UNAVAILABLE', why);
}

function noMajority(left: number): DeltabaseError {
  const why = `only ${left} of ${NODES} nodes is left, and nothing can be answered without a majority`;
  return new DeltabaseError('UNAVAILABLE', why);
}
