// A real cluster: one process for each node, on loopback, with data in folders of its own. Nodes can be
// killed, paused and started again; nothing is left behind when it ends, however it ends.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface ProcessClusterOptions {
  /** Node folders are made below it. */
  readonly directory: string;
  /** Default 3. */
  readonly nodes?: number;
  /** Default 16. */
  readonly groups?: number;
  /** More options of a node, such as { limits: 'flushIntervalMs=500' }; names as on the command line. */
  readonly flags?: Readonly<Record<string, string | number>>;
  /** The compiled program of a node. */
  readonly program: string;
  /** Where a node reaches another one, which listens for its peers at `address`; there, unless given. */
  readonly reach?: (link: Link & { readonly address: string }) => Promise<string>;
  /** How and where the process of a node runs. */
  readonly launch?: (node: number) => Launch;
}

/** The way from one node to another. */
export interface Link {
  readonly from: number;
  readonly to: number;
}

export interface Launch {
  /** What the command of the node is given to, such as ['ip', 'netns', 'exec', 'a']. */
  readonly wrapper?: readonly string[];
  /** Variables beside those of this process. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The address it listens on. Default 127.0.0.1. */
  readonly host?: string;
}

/** Those of `deltabase start`, which this package may not import. */
const NODE_FLAGS = [
  '--enable-source-maps',
  '--disable-wasm-trap-handler',
  '--max-semi-space-size=32',
  '--no-parallel-scavenge',
];
const GROUPS = 16;
const START_MS = 30_000;
const LOG_LINES_KEPT = 200;

/** What a node is made of. */
interface NodeSetup {
  readonly id: number;
  readonly clientAddress: string;
  readonly dataDir: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** One node: what it is called with, and the process if it runs. */
export class ProcessNode {
  readonly #setup: NodeSetup;
  readonly #log: string[] = [];
  readonly #hearers = new Map<RegExp, (line: string) => void>();
  #child: ChildProcess | undefined;
  #exited: Promise<number | null> = Promise.resolve(null);

  constructor(setup: NodeSetup) {
    this.#setup = setup;
  }

  get id(): number {
    return this.#setup.id;
  }

  get clientAddress(): string {
    return this.#setup.clientAddress;
  }

  get dataDir(): string {
    return this.#setup.dataDir;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get isUp(): boolean {
    return this.#child !== undefined;
  }

  /** The last lines that it logged since it was started last. */
  get log(): readonly string[] {
    return this.#log;
  }

  /** Resolves with the exit code when the process that was started last is gone; null: it was killed. */
  get exited(): Promise<number | null> {
    return this.#exited;
  }

  /** Starts the process; resolves when it listens, rejects with its last words if it ends before. */
  async start(): Promise<void> {
    this.#log.length = 0;
    const child = this.#spawn();
    const started = this.#watchOutput(child);
    const timer = setTimeout(() => child.kill('SIGKILL'), START_MS);
    try {
      await started;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends a signal and waits until the process is gone. Resolves with its exit code, null if it was killed. */
  async stop(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child;
    if (child === undefined) return null;
    child.kill(signal);
    return await this.#exited;
  }

  /** Stops the process's clock, or lets it run on. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(signal);
  }

  #spawn(): ChildProcess {
    const { command, environment } = this.#setup;
    const [program, ...args] = command;
    const env = { ...process.env, ...environment };
    const child = spawn(program!, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
    this.#child = child;
    LIVING.add(child);
    this.#exited = new Promise((resolve) => {
      const gone = (code: number | null): void => {
        LIVING.delete(child);
        if (this.#child === child) this.#child = undefined;
        resolve(code);
      };
      child.once('exit', gone);
      // Its program could not be run.
      child.once('error', () => child.pid ?? gone(null));
    });
    return child;
  }

  /** Resolves as soon as it logs a line that matches; the process that was started last, from now on. */
  said(words: RegExp): Promise<void> {
    return new Promise((resolve) => {
      this.hear(words, () => {
        this.#hearers.delete(words);
        resolve();
      });
    });
  }

  /** Is told of every line that matches, of all its lives, from now on. Once for each `words`. */
  hear(words: RegExp, told: (line: string) => void): void {
    this.#hearers.set(words, told);
  }

  #noteLine(line: string): void {
    this.#log.push(line);
    if (this.#log.length > LOG_LINES_KEPT) this.#log.shift();
    for (const [words, told] of this.#hearers) if (words.test(line)) told(line);
  }

  #watchOutput(child: ChildProcess): Promise<void> {
    return new Promise((resolve, reject) => {
      for (const stream of [child.stdout!, child.stderr!]) {
        createInterface(stream).on('line', (line) => {
          this.#noteLine(line);
          if (line.includes('"started"')) resolve();
        });
      }
      child.once('exit', (code, signal) => {
        const words = this.#log.slice(-5).join('\n');
        reject(
          new Error(`node ${this.id} ended (${code ?? signal}) before it listened:\n${words}`),
        );
      });
      child.once('error', reject);
    });
  }
}

/** Every process that runs, so that none outlives this one. */
const LIVING = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of LIVING) child.kill('SIGKILL');
});

export class ProcessCluster {
  readonly #nodes: ProcessNode[];
  readonly #options: ProcessClusterOptions;

  /** Makes a cluster, of which nothing runs yet. */
  static async create(options: ProcessClusterOptions): Promise<ProcessCluster> {
    const ids = Array.from({ length: options.nodes ?? 3 }, (_, at) => at + 1);
    const ports = await freePorts(2 * ids.length);
    const places = ids.map((id): Place => {
      const host = options.launch?.(id).host ?? '127.0.0.1';
      const [client, peer] = ports.slice(2 * id - 2);
      return { id, client: `${host}:${client}`, peer: `${host}:${peer}` };
    });
    return new ProcessCluster(
      options,
      await Promise.all(places.map((place) => makeNode(options, places, place))),
    );
  }

  /** Makes a cluster and starts every node. */
  static async start(options: ProcessClusterOptions): Promise<ProcessCluster> {
    const cluster = await ProcessCluster.create(options);
    await Promise.all(cluster.nodes.map((node) => node.start()));
    return cluster;
  }

  private constructor(options: ProcessClusterOptions, nodes: readonly ProcessNode[]) {
    this.#options = options;
    this.#nodes = [...nodes];
  }

  get nodes(): readonly ProcessNode[] {
    return this.#nodes;
  }

  /** Groups of documents. */
  get groups(): number {
    return this.#options.groups ?? GROUPS;
  }

  /** Makes a node that joins the cluster once it is added to the members and started. It is one of `nodes` then. */
  async makeJoining(id: number): Promise<JoiningNode> {
    const { directory, flags = {}, program } = this.#options;
    const [client, peer] = (await freePorts(2)).map((port) => `127.0.0.1:${port}`);
    const dataDir = join(directory, `node-${id}`);
    const options = {
      ...{ node: id, 'data-dir': dataDir, listen: client!, 'peer-listen': peer! },
      join: this.addresses.join(','),
      ...flags,
    };
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const command = [process.execPath, ...NODE_FLAGS, program, ...args];
    const environment = {};
    const node = new ProcessNode({ id, clientAddress: client!, dataDir, command, environment });
    this.#nodes.push(node);
    return { node, member: { node: id, peerAddress: peer!, clientAddress: client! } };
  }

  /** Lets go of a node that does not run any more, and is none of the cluster. */
  forget({ id }: ProcessNode): void {
    const at = this.#nodes.findIndex((node) => node.id === id && !node.isUp);
    if (at < 0) throw new Error(`node ${id} is not there, or runs`);
    this.#nodes.splice(at, 1);
  }

  /** Where clients reach the nodes. */
  get addresses(): string[] {
    return this.nodes.map((node) => node.clientAddress);
  }

  node(id: number): ProcessNode {
    return this.nodes.find((node) => node.id === id)!;
  }

  /** Ends every process, the hard way unless told otherwise. */
  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await Promise.all(
      this.nodes.map((node) => {
        node.signal('SIGCONT');
        return node.stop(signal);
      }),
    );
  }
}

/** A node that is to join, and what it is added to the members as. */
export interface JoiningNode {
  readonly node: ProcessNode;
  readonly member: {
    readonly node: number;
    readonly peerAddress: string;
    readonly clientAddress: string;
  };
}

/** Where a node listens, host:port. */
interface Place {
  readonly id: number;
  readonly client: string;
  readonly peer: string;
}

async function makeNode(
  { directory, groups = GROUPS, flags = {}, program, reach, launch }: ProcessClusterOptions,
  places: readonly Place[],
  { id, client, peer }: Place,
): Promise<ProcessNode> {
  const members = await Promise.all(
    places.map(async ({ id: to, client: clients, peer: address }) => {
      const reached = to === id ? address : await reach?.({ from: id, to, address });
      return `${to}=${reached ?? address}/${clients}`;
    }),
  );
  const dataDir = join(directory, `node-${id}`);
  const options = {
    node: id,
    'data-dir': dataDir,
    listen: client,
    'peer-listen': peer,
    members: members.join(','),
    groups,
    ...flags,
  };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const { wrapper = [], environment = {} } = launch?.(id) ?? {};
  const command = [...wrapper, process.execPath, ...NODE_FLAGS, program, ...args];
  return new ProcessNode({ id, clientAddress: client, dataDir, command, environment });
}

/** Ports that were free a moment ago. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
