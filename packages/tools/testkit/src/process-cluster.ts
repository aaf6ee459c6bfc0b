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
}

/** Those of `deltabase start`, which this package may not import. */
const NODE_FLAGS = [
  '--enable-source-maps',
  '--disable-wasm-trap-handler',
  '--max-semi-space-size=32',
  '--no-parallel-scavenge',
];
const START_MS = 30_000;
const LOG_LINES_KEPT = 200;

/** One node: what it is called with, and the process if it runs. */
export class ProcessNode {
  readonly id: number;
  readonly clientAddress: string;
  readonly dataDir: string;
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;
  readonly #log: string[] = [];

  constructor(id: number, clientAddress: string, dataDir: string, args: readonly string[]) {
    this.id = id;
    this.clientAddress = clientAddress;
    this.dataDir = dataDir;
    this.#args = args;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get isUp(): boolean {
    return this.#child !== undefined;
  }

  /** The last lines that it logged. */
  get log(): readonly string[] {
    return this.#log;
  }

  /** Starts the process; resolves when it listens, rejects with its last words if it ends before. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, this.#args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    LIVING.add(child);
    child.once('exit', () => {
      LIVING.delete(child);
      if (this.#child === child) this.#child = undefined;
    });
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
    const exited = once(child, 'exit');
    child.kill(signal);
    const [code] = (await exited) as [number | null];
    return code;
  }

  /** Stops the process's clock, or lets it run on. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(signal);
  }

  #watchOutput(child: ChildProcess): Promise<void> {
    return new Promise((resolve, reject) => {
      for (const stream of [child.stdout!, child.stderr!]) {
        createInterface(stream).on('line', (line) => {
          this.#log.push(line);
          if (this.#log.length > LOG_LINES_KEPT) this.#log.shift();
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
  readonly nodes: readonly ProcessNode[];

  /** Starts every node. */
  static async start(options: ProcessClusterOptions): Promise<ProcessCluster> {
    const count = options.nodes ?? 3;
    const ports = await freePorts(2 * count);
    const cluster = new ProcessCluster(makeNodes(options, count, ports));
    await Promise.all(cluster.nodes.map((node) => node.start()));
    return cluster;
  }

  private constructor(nodes: readonly ProcessNode[]) {
    this.nodes = nodes;
  }

  /** Where clients reach the nodes. */
  get addresses(): string[] {
    return this.nodes.map((node) => node.clientAddress);
  }

  node(id: number): ProcessNode {
    return this.nodes[id - 1]!;
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

function makeNodes(
  { directory, groups = 16, flags = {}, program }: ProcessClusterOptions,
  count: number,
  ports: readonly number[],
): ProcessNode[] {
  const ids = Array.from({ length: count }, (_, at) => at + 1);
  const address = (port: number | undefined): string => `127.0.0.1:${port}`;
  const clientOf = (id: number): string => address(ports[2 * id - 2]);
  const peerOf = (id: number): string => address(ports[2 * id - 1]);
  const members = ids.map((id) => `${id}=${peerOf(id)}/${clientOf(id)}`).join(',');
  return ids.map((id) => {
    const dataDir = join(directory, `node-${id}`);
    const options = {
      node: id,
      'data-dir': dataDir,
      listen: clientOf(id),
      'peer-listen': peerOf(id),
      members,
      groups,
      ...flags,
    };
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
    return new ProcessNode(id, clientOf(id), dataDir, [...NODE_FLAGS, program, ...args]);
  });
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
