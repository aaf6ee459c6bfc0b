// A network of its own for a real cluster: each node in a network namespace, all at one switch (a bridge in one more),
// and this process, with its clients, at it too. The switch loses, doubles and delays packets as told, each direction
// for itself. Unlike a proxy it ends no connection: whoever waits for a packet that was lost hears nothing at all.

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Launch, Link } from '@deltabase/testkit';
import { until } from '../../scratch.js';
import { missingPrograms, Namespace, runCommand, whyNot } from '../namespace.js';

/** How packets fare on a link, each by chance, of a hundred. */
export interface PacketFlow {
  readonly lost?: number;
  /** Arrive twice. */
  readonly doubled?: number;
  /** Take the slow lane of the receiver's port: they arrive late and behind later ones, or not at all if it is full. */
  readonly late?: number;
}

/** This process in links. */
export const CLIENTS = 0;
/** What the switch has done to packets so far. */
export type PacketCounts = Readonly<Record<(typeof HARMS)[number], number>>;

const HARMS = ['lost', 'doubled', 'late'] as const;
const PROGRAMS = ['unshare', 'nsenter', 'setpriv', 'ip', 'tc', 'nft'];
/** Set aside for tests of networks (RFC 2544): no machine has neighbours there. */
const NETWORKS = Array.from({ length: 512 }, (_, at) => `198.${18 + (at >> 8)}.${at & 255}`);
/** Its priority is its class, 1:2. */
const SLOW_LANE = { priority: 0x10002, rate: '2mbit', packetsMax: 40 };
const TABLE = 'netdev harm';
const CONNECTING_MS_MAX = 60_000;

const execute = promisify(execFile);

export class SwitchedNetwork {
  readonly #network: string;
  readonly #switch: Namespace;
  readonly #hosts: ReadonlyMap<number, Namespace>;

  /** Why there can be none on this machine; `undefined`: there can. */
  static async unavailable(): Promise<string | undefined> {
    if (process.platform !== 'linux') return 'it is not Linux';
    const missing = await missingPrograms(PROGRAMS);
    if (missing.length > 0) return `it has no ${missing.join(', ')} (Debian: iproute2, nftables)`;
    if (process.getuid!() !== 0) return 'only root may make networks, and this is not root';
    return await whyNot('such network can be made', async () => {
      const network = await SwitchedNetwork.open([1]);
      try {
        await network.set([{ from: CLIENTS, to: 1 }], { lost: 1, doubled: 1, late: 1 });
      } finally {
        await network.close();
      }
    });
  }

  static async open(nodes: readonly number[]): Promise<SwitchedNetwork> {
    const network = await freeNetwork();
    const namespaces = await Promise.all([0, ...nodes].map(() => Namespace.open('net')));
    const [center, ...hosts] = namespaces;
    const made = new SwitchedNetwork(network, {
      center: center!,
      hosts: new Map(hosts.map((host, at) => [nodes[at]!, host])),
    });
    try {
      await made.#connect();
      return made;
    } catch (thrown) {
      await made.#release();
      throw thrown;
    }
  }

  private constructor(
    network: string,
    { center, hosts }: { center: Namespace; hosts: ReadonlyMap<number, Namespace> },
  ) {
    this.#network = network;
    this.#switch = center;
    this.#hosts = hosts;
  }

  /** For ProcessCluster: a node runs in its namespace, and is reached there. */
  readonly launch = (node: number): Launch => ({
    wrapper: this.#hosts.get(node)!.wrapper,
    host: this.#addressOf(node),
  });

  /** From now on these links are as told, and all others whole. */
  async set(links: readonly Link[], flow: PacketFlow): Promise<void> {
    const chains = this.#ends.map((end) => {
      const rules = links.filter(({ from }) => from === end).map((link) => this.#rules(link, flow));
      const hook = `type filter hook ingress device "${portOf(end)}" priority 0;`;
      return `chain from-${end} { ${hook} ${rules.flat().join(' ')} }`;
    });
    // All of it at once or nothing; the counters stay.
    const rules = [`add table ${TABLE}`, `flush table ${TABLE}`];
    rules.push(`table ${TABLE} {`);
    rules.push(...HARMS.map((harm) => `counter ${harm} { }`), ...chains, '}');
    await this.#switch.run('nft', ['-f', '-'], rules.join('\n'));
  }

  /** All links are whole. */
  async heal(): Promise<void> {
    await this.set([], {});
  }

  /** Pulls the cable of a node, or plugs it in again. */
  async plug(node: number, to: 'up' | 'down'): Promise<void> {
    await this.#switch.run('ip', ['link', 'set', portOf(node), to]);
  }

  async counts(): Promise<PacketCounts> {
    const text = await this.#switch.run('nft', [
      '-j',
      'list',
      'counters',
      'table',
      ...TABLE.split(' '),
    ]);
    const { nftables } = JSON.parse(text) as {
      nftables: readonly { counter?: { name: string; packets: number } }[];
    };
    const packets = new Map(nftables.map(({ counter }) => [counter?.name, counter?.packets]));
    const of = (harm: string): number => packets.get(harm) ?? 0;
    return { lost: of('lost'), doubled: of('doubled'), late: of('late') };
  }

  /**
   * Every node must have ended. Connections that this process is making to one are refused first: nothing else ends
   * those before minutes have passed, and it would have to live as long.
   */
  async close(): Promise<void> {
    for (const node of this.#hosts.keys()) await this.plug(node, 'up');
    await this.heal();
    const isMaking = (line: string): boolean => isConnecting(line, this.#network);
    const areRefused = async (): Promise<boolean> =>
      !(await readFile('/proc/net/tcp', 'utf8')).split('\n').some(isMaking);
    await until('connections that are being made are refused', areRefused, CONNECTING_MS_MAX);
    await this.#release();
  }

  async #release(): Promise<void> {
    await Promise.all([this.#switch, ...this.#hosts.values()].map((each) => each.close()));
  }

  get #ends(): readonly number[] {
    return [CLIENTS, ...this.#hosts.keys()];
  }

  #addressOf(end: number): string {
    return `${this.#network}.${end === CLIENTS ? 254 : end}`;
  }

  #rules({ from, to }: Link, { lost = 0, doubled = 0, late = 0 }: PacketFlow): string[] {
    const way = `ip saddr ${this.#addressOf(from)} ip daddr ${this.#addressOf(to)}`;
    const some = (percent: number): string => {
      const chance = percent < 100 ? `numgen random mod 100 < ${percent}` : '';
      return `${way} ${chance} counter name`;
    };
    return [
      ...(lost > 0 ? [`${some(lost)} lost drop;`] : []),
      ...(doubled > 0 ? [`${some(doubled)} doubled dup to "${portOf(to)}";`] : []),
      ...(late > 0 ? [`${some(late)} late meta priority set ${SLOW_LANE.priority};`] : []),
    ];
  }

  async #connect(): Promise<void> {
    const center = this.#switch;
    await center.run('ip', ['-batch', '-'], 'link add switch type bridge\nlink set switch up\n');
    // Names of interfaces have 15 characters at most.
    const own = `delta-${this.#network.split('.').slice(1).join('-')}`;
    await runCommand(['ip', 'link', 'add', own, ...peerIn(center, CLIENTS)]);
    await runCommand(['ip', '-batch', '-'], this.#linkUp(CLIENTS, own));
    for (const [node, host] of this.#hosts) {
      await host.run('ip', ['link', 'add', 'eth0', ...peerIn(center, node)]);
      await host.run('ip', ['-batch', '-'], `${this.#linkUp(node, 'eth0')}link set lo up\n`);
    }
    for (const end of this.#ends) {
      await center.run('ip', ['link', 'set', portOf(end), 'master', 'switch', 'up']);
      await center.run('tc', ['-batch', '-'], lanes(portOf(end)));
    }
    await this.heal();
  }

  /** One packet is one packet: the sender's kernel passes on none that are to be cut into many later. */
  #linkUp(end: number, device: string): string {
    const address = `addr add ${this.#addressOf(end)}/24 dev ${device}`;
    return `${address}\nlink set ${device} gso_max_segs 1 up\n`;
  }
}

function portOf(end: number): string {
  return `port-${end}`;
}

/** The rest of a command that makes a cable to the switch. */
function peerIn(center: Namespace, end: number): string[] {
  return ['type', 'veth', 'peer', 'name', portOf(end), 'netns', String(center.pid)];
}

/** Two lanes out of a port: a free one, and a slow one for packets of priority 1:2. */
function lanes(port: string): string {
  const { rate, packetsMax } = SLOW_LANE;
  const lines = [
    `qdisc add dev ${port} root handle 1: htb default 1`,
    `class add dev ${port} parent 1: classid 1:1 htb rate 10gbit quantum 60000`,
    `class add dev ${port} parent 1: classid 1:2 htb rate ${rate} quantum 1600`,
    `qdisc add dev ${port} parent 1:2 pfifo limit ${packetsMax}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** Whether a line of /proc/net/tcp, whose addresses are hexadecimal and backwards, is of a connection being made. */
function isConnecting(line: string, network: string): boolean {
  const [, , remote = '', state] = line.trim().split(/\s+/);
  const bytes = network
    .split('.')
    .reverse()
    .map((byte) => Number(byte).toString(16).padStart(2, '0'));
  return state === '02' && remote.slice(2, 8) === bytes.join('').toUpperCase();
}

/** One that no interface of this machine is in. */
async function freeNetwork(): Promise<string> {
  const { stdout } = await execute('ip', ['-o', '-4', 'addr', 'show']);
  const first = process.pid % NETWORKS.length;
  const candidates = [...NETWORKS.slice(first), ...NETWORKS.slice(0, first)];
  const free = candidates.find((network) => !stdout.includes(` ${network}.`));
  if (free === undefined) throw new Error('every test network is in use');
  return free;
}
