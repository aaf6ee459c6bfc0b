// A node for tests: a network on a free loopback port, and everything that it was told. `until` waits for a
// condition over it, looked at after each thing that happens.

import { DEFAULT_LIMITS, type Limits } from '@deltabase/base';
import type { Lane, Log, LogFields, NodeId } from '@deltabase/engine';
import { type GrpcNetwork, type GrpcNetworkOptions, openGrpcNetwork } from '../../src/index.js';

export interface LogLine {
  readonly event: string;
  readonly fields: LogFields;
}

export class TestNode {
  readonly id: NodeId;
  readonly network: GrpcNetwork;
  readonly lines: LogLine[];
  readonly frames: Array<{ from: NodeId; lane: Lane; frame: Uint8Array }> = [];
  readonly reachable = new Set<NodeId>();
  /** Who called and was not known, with the address given. */
  readonly met = new Map<NodeId, string>();

  constructor(id: NodeId, network: GrpcNetwork, lines: LogLine[]) {
    this.id = id;
    this.network = network;
    this.lines = lines;
  }

  get address(): string {
    return `127.0.0.1:${this.network.port}`;
  }

  listen(): void {
    this.network.listen({
      received: (from, lane, frame) => {
        this.frames.push({ from, lane, frame });
        happened();
      },
      reachable: (peer, is) => {
        if (is) this.reachable.add(peer);
        else this.reachable.delete(peer);
        happened();
      },
      met: (node, address) => {
        this.met.set(node, address);
        happened();
      },
    });
  }

  /** Lines of the log about `event`. */
  logged(event: string): LogLine[] {
    return this.lines.filter((line) => line.event === event);
  }
}

export interface TestNodeOptions
  extends Partial<Pick<GrpcNetworkOptions, 'cluster' | 'keepaliveMs'>> {
  readonly port?: number;
  readonly limits?: Partial<Limits>;
}

/** Opens a node that knows no peers and listens for nothing yet. */
export async function openNode(id: NodeId, options: TestNodeOptions = {}): Promise<TestNode> {
  const { cluster = 'test', port = 0, limits, keepaliveMs } = options;
  const lines: LogLine[] = [];
  const network = await openGrpcNetwork({
    cluster,
    node: id,
    listenAddress: `127.0.0.1:${port}`,
    limits: { ...DEFAULT_LIMITS, ...limits },
    log: logInto(lines),
    ...(keepaliveMs === undefined ? {} : { keepaliveMs }),
  });
  return new TestNode(id, network, lines);
}

/** Tells two nodes of each other's address, and has them listen. */
export function introduce(one: TestNode, two: TestNode): void {
  one.network.setPeer(two.id, two.address);
  two.network.setPeer(one.id, one.address);
  one.listen();
  two.listen();
}

const DEADLINE_MS = 10_000;
let waiting: Array<() => void> = [];

/** Something happened that a condition may be about. */
export function happened(): void {
  const now = waiting;
  waiting = [];
  for (const look of now) look();
}

/** Waits until `is` holds; it is looked at whenever something has happened. */
export async function until(is: () => boolean): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not reached in time: ${is}`)), DEADLINE_MS);
  });
  try {
    while (!is()) await Promise.race([late, new Promise<void>((look) => waiting.push(look))]);
  } finally {
    clearTimeout(timer);
  }
}

function logInto(lines: LogLine[]): Log {
  const add = (event: string, fields: LogFields = {}): void => {
    lines.push({ event, fields });
    happened();
  };
  return { debug: add, info: add, warn: add, error: add };
}
