// The links between the nodes of a real cluster, as TCP proxies that can be told to lose, delay, slow down and break
// what goes over them, each direction for itself. A node subscribes to what another one says (peer.proto): what B
// says to A comes back on the connection that A has made to B.

import { once } from 'node:events';
import { createServer, type Server, Socket } from 'node:net';
import type { Link } from './process-cluster.js';

/** How one direction of a link is. */
export interface Flow {
  /** Nothing comes through; what was sent waits, and comes late if the connection lives as long. */
  readonly isCut?: boolean;
  /** Every piece takes so long, ms. */
  readonly delayMs?: number;
  readonly bytesPerSecond?: number;
}

const WHOLE: Flow = {};
/** So much waits in a proxy; beyond it the sender has to. */
const WAITING_BYTES_MAX = 1024 * 1024;

/** All links of a cluster; `reach` is for ProcessCluster. */
export class LinkMesh {
  readonly #links = new Map<string, LinkProxy>();

  /** Puts a proxy in front of the place where a node listens for another one. */
  readonly reach = async ({ from, to, address }: Link & { address: string }): Promise<string> => {
    const proxy = new LinkProxy(address);
    this.#links.set(nameOf({ from, to }), proxy);
    return await proxy.open();
  };

  /** From now on this is how what `from` says gets to `to`. */
  set({ from, to }: Link, flow: Flow): void {
    this.#proxyOf({ from, to }).setFlow(flow);
  }

  /** Breaks the connection on which `from` speaks to `to`, at once and whatever is on its way. */
  reset({ from, to }: Link): void {
    this.#proxyOf({ from, to }).reset();
  }

  /** Every link is whole again. */
  heal(): void {
    for (const proxy of this.#links.values()) proxy.setFlow(WHOLE);
  }

  /** Bytes that have come through, of all links. */
  get bytes(): number {
    let sum = 0;
    for (const proxy of this.#links.values()) sum += proxy.bytes;
    return sum;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#links.values()].map((proxy) => proxy.close()));
  }

  /** The listener has made the connection. */
  #proxyOf({ from, to }: Link): LinkProxy {
    const proxy = this.#links.get(nameOf({ from: to, to: from }));
    if (proxy === undefined) throw new RangeError(`there is no link from ${from} to ${to}`);
    return proxy;
  }
}

function nameOf({ from, to }: Link): string {
  return `${from} ${to}`;
}

/** One proxy: its callers' requests go through as they are, what comes back goes as `flow` says. */
class LinkProxy {
  readonly #target: { readonly host: string; readonly port: number };
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #flow: Flow = WHOLE;
  bytes = 0;

  constructor(target: string) {
    const [host, port] = target.split(':');
    this.#target = { host: host!, port: Number(port) };
    this.#server = createServer((caller) => this.#called(caller));
  }

  async open(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `127.0.0.1:${(this.#server.address() as { port: number }).port}`;
  }

  setFlow(flow: Flow): void {
    this.#flow = flow;
    for (const pair of this.#pairs) pair.setFlow(flow);
  }

  reset(): void {
    for (const pair of this.#pairs) pair.break();
  }

  async close(): Promise<void> {
    this.reset();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #called(caller: Socket): void {
    const callee = new Socket();
    const pair = new Pair(caller, callee, (bytes) => {
      this.bytes += bytes;
    });
    this.#pairs.add(pair);
    pair.setFlow(this.#flow);
    caller.once('close', () => this.#pairs.delete(pair));
    callee.connect(this.#target);
  }
}

interface Piece {
  readonly bytes: Buffer;
  /** When it may go on. */
  readonly dueMs: number;
}

/** A connection and the one behind it. */
class Pair {
  readonly #caller: Socket;
  readonly #callee: Socket;
  readonly #count: (bytes: number) => void;
  readonly #waiting: Piece[] = [];
  #waitingBytes = 0;
  #flow: Flow = WHOLE;
  #isBroken = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the last piece has gone, at the speed of the link. */
  #busyUntilMs = 0;

  constructor(caller: Socket, callee: Socket, count: (bytes: number) => void) {
    this.#caller = caller;
    this.#callee = callee;
    this.#count = count;
    for (const socket of [caller, callee]) {
      socket.setNoDelay(true);
      // A node that was killed, or a proxy that broke it: the other side learns of it.
      socket.on('error', () => this.break());
      socket.on('close', () => this.break());
    }
    caller.on('data', (bytes) => callee.write(bytes));
    callee.on('data', (bytes) => this.#arrived(bytes as Buffer));
  }

  setFlow(flow: Flow): void {
    this.#flow = flow;
    this.#pump();
  }

  break(): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    clearTimeout(this.#timer);
    this.#waiting.length = 0;
    // A socket that is being shut down Node.js 20 cannot reset: it keeps it for ever, and spins at its exit.
    if (this.#caller.writableEnded) this.#caller.destroy();
    else this.#caller.resetAndDestroy();
    this.#callee.destroy();
  }

  #arrived(bytes: Buffer): void {
    const { delayMs = 0, bytesPerSecond = Infinity } = this.#flow;
    const nowMs = performance.now();
    this.#busyUntilMs = Math.max(nowMs, this.#busyUntilMs) + (1000 * bytes.length) / bytesPerSecond;
    this.#waiting.push({ bytes, dueMs: this.#busyUntilMs + delayMs });
    this.#waitingBytes += bytes.length;
    this.#pump();
  }

  /** Passes on what is due, in order. */
  #pump(): void {
    clearTimeout(this.#timer);
    const isCut = this.#flow.isCut === true;
    while (!isCut && !this.#isBroken && this.#waiting.length > 0) {
      const { bytes, dueMs } = this.#waiting[0]!;
      const leftMs = dueMs - performance.now();
      if (leftMs > 0) {
        this.#timer = setTimeout(() => this.#pump(), leftMs);
        break;
      }
      this.#waiting.shift();
      this.#waitingBytes -= bytes.length;
      this.#count(bytes.length);
      this.#caller.write(bytes);
    }
    if (isCut || this.#waitingBytes > WAITING_BYTES_MAX) this.#callee.pause();
    else this.#callee.resume();
  }
}
