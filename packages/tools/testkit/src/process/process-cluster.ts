// A real cluster: one process for each node, on loopback, with data in folders of its own. Nodes can be
// killed, paused and started again; nothing is left behind when it ends, however it ends.

import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { ServingProcess } from './serving-process.js';

export interface ProcessClusterOptions {
  /** Node folders are made below it. */
  readonly directory: string;
  /** Default 3. */
  readonly nodes?: number;
  /** Default 16. */
  readonly groups?: number;
  /** More options of a node, such as { limits: 'flushIntervalMs=500' }; names as on the command line. */
  readonly flags?: Readonly<Record<string, string | number>>;
  /** What a node is started with, its options behind it: Node.js, its flags and the program. */
  readonly command: readonly string[];
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

const GROUPS = 16;

/** What a node is made of. */
interface NodeSetup {
  readonly id: number;
  readonly clientAddress: string;
  readonly dataDir: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** One node. */
export class ProcessNode extends ServingProcess {
  readonly id: number;
  readonly dataDir: string;

  constructor({ id, dataDir, ...setup }: NodeSetup) {
    super({ label: `node ${id}`, ...setup });
    this.id = id;
    this.dataDir = dataDir;
  }
}

export class ProcessCluster {
  readonly #nodes: ProcessNode[];
  readonly #replicas: ServingProcess[] = [];
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
    const { directory, flags = {} } = this.#options;
    const [client, peer] = (await freePorts(2)).map((port) => `127.0.0.1:${port}`);
    const dataDir = join(directory, `node-${id}`);
    const options = {
      ...{ node: id, 'data-dir': dataDir, listen: client!, 'peer-listen': peer! },
      join: this.addresses.join(','),
      ...flags,
    };
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const command = [...this.#options.command, ...args];
    const environment = {};
    const node = new ProcessNode({ id, clientAddress: client!, dataDir, command, environment });
    this.#nodes.push(node);
    return { node, member: { node: id, peerAddress: peer!, clientAddress: client! } };
  }

  /**
   * Makes a replica, which is to be started; fed by the nodes, or by `upstreams` (host:port). It is one of `replicas`
   * from then on.
   */
  async makeReplica(
    name: string,
    upstreams: readonly string[] = this.addresses,
  ): Promise<ServingProcess> {
    const { flags = {} } = this.#options;
    const [port] = await freePorts(1);
    const clientAddress = `127.0.0.1:${port}`;
    const limits = flags['limits'] === undefined ? {} : { limits: flags['limits'] };
    const options = { name, listen: clientAddress, upstream: upstreams.join(','), ...limits };
    const args = Object.entries(options).flatMap(([flag, value]) => [`--${flag}`, String(value)]);
    const command = [...this.#options.command, 'replica', ...args];
    const replica = new ServingProcess({
      ...{ clientAddress, command },
      label: `replica ${name}`,
      environment: {},
    });
    this.#replicas.push(replica);
    return replica;
  }

  get replicas(): readonly ServingProcess[] {
    return this.#replicas;
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
      [...this.replicas, ...this.nodes].map((each) => {
        each.signal('SIGCONT');
        return each.stop(signal);
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
  { directory, groups = GROUPS, flags = {}, command, reach, launch }: ProcessClusterOptions,
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
  return new ProcessNode({
    ...{ id, clientAddress: client, dataDir, environment },
    command: [...wrapper, ...command, ...args],
  });
}

/** Ports of 127.0.0.1 that were free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
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
