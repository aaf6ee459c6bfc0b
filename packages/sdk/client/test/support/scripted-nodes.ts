// Nodes whose calls a test answers itself. Their streams of messages open and then say nothing.

import { DeltabaseError } from '@deltabase/base';
import { type Client, type ConnectOptions, connect } from '../../src/index.js';
import type {
  CallOptions,
  Link,
  SendStreamListener,
  StreamOptions,
  Transport,
} from '../../src/transport/transport.js';
import type { VirtualWorld } from './virtual-world.js';

/** Answers the calls to one node; throws DeltabaseErrors. */
export interface Script {
  call?(name: string, request: object, options: CallOptions): unknown;
  stream?(name: string, request: object, options: StreamOptions): AsyncIterable<unknown>;
}

export class ScriptedNodes implements Transport {
  readonly #world: VirtualWorld;
  readonly #scripts: readonly Script[];
  /** Nodes, from 1, that refuse connections. */
  readonly down = new Set<number>();
  /** Replicas that have no way to the cluster. */
  readonly cutOff = new Set<number>();
  /** Calls made: "NAME node". */
  readonly calls: string[] = [];
  /** Links that are open: "node". */
  readonly links: number[] = [];
  readonly #streams = new Map<number, SendStreamListener[]>();
  readonly #members: number;

  /** The first `members` of them are nodes of the cluster, the others replicas. */
  constructor(world: VirtualWorld, scripts: readonly Script[], members = scripts.length) {
    this.#world = world;
    this.#scripts = scripts;
    this.#members = members;
  }

  get addresses(): string[] {
    return this.#scripts.slice(0, this.#members).map((_, at) => addressOf(at + 1));
  }

  /** Breaks every stream of messages to a node. */
  breakStreams(node: number): void {
    for (const listener of this.#streams.get(node) ?? []) {
      listener.ended(new DeltabaseError('UNAVAILABLE', `${addressOf(node)} has gone`));
    }
    this.#streams.delete(node);
  }

  link(address: string): Link {
    const node = Number(address.split(':')[1]) - 9000;
    const script = this.#scripts[node - 1] ?? {};
    this.links.push(node);
    return {
      openSendStream: (listener) => {
        let isOpen = true;
        this.#world.after(1, () => {
          if (!isOpen) return;
          if (this.down.has(node)) {
            listener.ended(new DeltabaseError('UNAVAILABLE', `${address} refuses`));
            return;
          }
          if (this.cutOff.has(node)) {
            listener.ended(noWay());
            return;
          }
          this.#streams.set(node, [...(this.#streams.get(node) ?? []), listener]);
          listener.opened(4);
          for (let group = 1; group <= 4; group++) listener.route(group, 1, addressOf(1));
          listener.received();
        });
        return {
          write: () => true,
          cancel: () => {
            isOpen = false;
          },
        };
      },
      call: (async (name: string, request: object, options: CallOptions) => {
        await new Promise<void>((resolve) => this.#world.after(1, resolve));
        if (this.down.has(node)) throw new DeltabaseError('UNAVAILABLE', `${address} is down`);
        if (this.cutOff.has(node) && name === 'GetStatus') throw noWay();
        if (name === 'GetStatus') return this.#statusOf(node);
        this.calls.push(`${name} ${node}`);
        if (name === 'GetReplicaStatus') return { name: `r${node}` };
        return script.call!(name, request, options);
      }) as Link['call'],
      stream: ((name: string, request: object, options: StreamOptions) => {
        this.calls.push(`${name} ${node}`);
        return script.stream!(name, request, options);
      }) as Link['stream'],
      close: () => {
        this.links.splice(this.links.indexOf(node), 1);
      },
    };
  }

  /** A replica passes on what node 1 says. */
  #statusOf(node: number): object {
    const members = this.addresses.map((address, at) => ({ node: at + 1, address }));
    if (node > this.#members) return { node: 1, members, via: [`r${node}`] };
    return { node, members, via: [] };
  }
}

/** Connects while virtual time passes. */
export async function connectIn(world: VirtualWorld, options: ConnectOptions): Promise<Client> {
  return settled(world, connect({ world, ...options }));
}

/** Awaits `promise` while virtual time passes. */
export async function settled<T>(world: VirtualWorld, promise: Promise<T>): Promise<T> {
  let isSettled = false;
  const settle = (): void => {
    isSettled = true;
  };
  promise.then(settle, settle);
  // What needs no time must not take any.
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  await world.runUntil(() => isSettled);
  return promise;
}

export function addressOf(node: number): string {
  return `node:${9000 + node}`;
}

function noWay(): DeltabaseError {
  return new DeltabaseError('UNAVAILABLE', 'no way to the cluster', {
    details: { staleOnly: true },
  });
}
