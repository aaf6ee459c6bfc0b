// What every implementation of the Network port must do: one suite, run on the driver for gRPC and on the
// simulated network. Links are whole and quick while it runs, so nothing may be lost.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Lane, Network, NodeId } from '@deltabase/engine';
import { OutsideCalls } from './outside-calls.js';

/** Nodes that can reach each other, and time that passes. */
export interface NetworkUnderTest {
  /** Begins a life of a node, in which it knows the other two. Its network is not listened to yet. */
  start(node: NodeId): Promise<Network>;
  /** Where others reach a node. */
  addressOf(node: NodeId): string;
  /** Ends it, as the end of the process would. */
  stop(node: NodeId): Promise<void>;
  /** Lets time pass until `is` holds; throws if that takes too long. */
  until(is: () => boolean): Promise<void>;
  /** Ends every life. */
  close(): Promise<void>;
}

/** A frame that came. */
interface Received {
  readonly from: NodeId;
  readonly lane: Lane;
  readonly frame: Uint8Array;
}

/** A life of a node, and what it was told. */
class Listener {
  readonly network: Network;
  readonly received: Received[] = [];
  readonly reachable = new Set<NodeId>();
  /** Who called and was not known, with the address given. */
  readonly met = new Map<NodeId, string>();
  readonly #outside = new OutsideCalls();

  constructor(network: Network) {
    this.network = network;
    this.#outside.into(() =>
      network.listen({
        received: (from, lane, frame) => {
          this.#outside.holdsWhen('a frame was delivered');
          this.received.push({ from, lane, frame });
        },
        reachable: (peer, is) => {
          this.#outside.holdsWhen('a connection was told of');
          if (is) this.reachable.add(peer);
          else this.reachable.delete(peer);
        },
        met: (node, address) => {
          this.#outside.holdsWhen('a caller was told of');
          this.met.set(node, address);
        },
      }),
    );
  }

  setPeer(peer: NodeId, address: string): void {
    this.#outside.into(() => this.network.setPeer(peer, address));
  }

  removePeer(peer: NodeId): void {
    this.#outside.into(() => this.network.removePeer(peer));
  }

  send(to: NodeId, lane: Lane, frame: Uint8Array): void {
    this.#outside.into(() => this.network.send(to, lane, frame));
  }

  frames(lane: Lane): Uint8Array[] {
    return this.received.filter((one) => one.lane === lane).map(({ frame }) => frame);
  }
}

const MIB = 2 ** 20;

/** Defines the tests of the port for the implementation called `name`; `open` makes nodes 1, 2 and 3. */
export function testNetworkConformance(name: string, open: () => Promise<NetworkUnderTest>): void {
  const scenario = (
    what: string,
    run: (under: NetworkUnderTest, listeners: Listener[]) => Promise<void>,
  ): void => {
    test(`${name}: ${what}`, async () => {
      const under = await open();
      try {
        await run(under, await listenOn(under));
      } finally {
        await under.close();
      }
    });
  };

  scenario('nodes are told that they can reach each other', async (_under, listeners) => {
    assert.deepEqual(
      listeners.map(({ reachable }) => [...reachable].sort()),
      [
        [2, 3],
        [1, 3],
        [1, 2],
      ],
    );
  });

  scenario('a frame comes whole, to whom it is for, from whom it is', async (under, listeners) => {
    const [one, two, three] = listeners as [Listener, Listener, Listener];
    one.send(2, 'urgent', bytes(3, 7));
    two.send(3, 'bulk', bytes(5, 8));
    three.send(1, 'urgent', bytes(0, 0));
    await under.until(() => listeners.every(({ received }) => received.length === 1));
    assert.deepEqual(two.received.map(plain), [[1, 'urgent', [7, 7, 7]]]);
    assert.deepEqual(three.received.map(plain), [[2, 'bulk', [8, 8, 8, 8, 8]]]);
    assert.deepEqual(one.received.map(plain), [[3, 'urgent', []]]);
  });

  scenario('frames of many sizes come whole on both lanes', async (under, listeners) => {
    const [one, two] = listeners as [Listener, Listener];
    const sizes = [1, 100, 127, 128, 16_383, 16_384, 65_535, 65_536, MIB, 3 * MIB];
    for (const lane of ['urgent', 'bulk'] as const) {
      for (const size of sizes) one.send(2, lane, bytes(size, size % 251));
    }
    await under.until(() => two.received.length === 2 * sizes.length);
    for (const lane of ['urgent', 'bulk'] as const) {
      const expected = sizes.map((size) => bytes(size, size % 251));
      const got = two.frames(lane).sort((a, b) => a.length - b.length);
      assert(got.every((frame, at) => Buffer.compare(frame, expected[at]!) === 0));
    }
  });

  scenario('what is sent to nobody is dropped', async (under, listeners) => {
    const [one, two] = listeners as [Listener, Listener];
    one.send(99, 'urgent', bytes(10, 1));
    one.send(2, 'urgent', bytes(1, 2));
    await under.until(() => two.received.length > 0);
    assert.equal(one.network.queuedBytes(99, 'urgent'), 0);
    assert.deepEqual(two.received.map(plain), [[1, 'urgent', [2]]]);
  });

  scenario('what has come is not counted as waiting', async (under, listeners) => {
    const [one, two] = listeners as [Listener, Listener];
    for (let count = 0; count < 20; count++) one.send(2, 'urgent', bytes(100_000, count));
    await under.until(() => two.received.length === 20);
    await under.until(() => one.network.queuedBytes(2, 'urgent') === 0);
  });

  scenario('bulk frames do not hold back urgent ones', async (under, listeners) => {
    const [one, two] = listeners as [Listener, Listener];
    for (let count = 0; count < 32; count++) one.send(2, 'bulk', bytes(MIB, count));
    one.send(2, 'urgent', bytes(10, 1));
    await under.until(() => two.received.length === 33);
    assert.notEqual(two.received.at(-1)?.lane, 'urgent');
  });

  scenario('the end of a node is told, and so is its return', async (under, listeners) => {
    const [one, , three] = listeners as [Listener, Listener, Listener];
    await under.stop(2);
    await under.until(() => !one.reachable.has(2) && !three.reachable.has(2));
    assert.deepEqual([...one.reachable], [3]);
    const again = new Listener(await under.start(2));
    await under.until(() => one.reachable.has(2) && again.reachable.size === 2);
    one.send(2, 'urgent', bytes(1, 2));
    again.send(1, 'bulk', bytes(1, 3));
    await under.until(() => again.received.length === 1 && one.received.length === 1);
    assert.deepEqual(again.received.map(plain), [[1, 'urgent', [2]]]);
    assert.deepEqual(one.received.map(plain), [[2, 'bulk', [3]]]);
  });

  scenario('a node that is let go of is met when it calls again', async (under, listeners) => {
    const [one, two, three] = listeners as [Listener, Listener, Listener];
    one.removePeer(2);
    await under.until(() => one.met.has(2) && !two.reachable.has(1));
    assert.deepEqual([...one.met], [[2, under.addressOf(2)]]);
    one.send(2, 'urgent', bytes(1, 1));
    two.send(1, 'urgent', bytes(1, 2));
    three.send(1, 'urgent', bytes(1, 3));
    await under.until(() => one.received.length === 1);
    assert.deepEqual(one.received.map(plain), [[3, 'urgent', [3]]]);
    assert.deepEqual(two.received, []);
    one.setPeer(2, under.addressOf(2));
    await under.until(() => two.reachable.has(1));
    two.send(1, 'urgent', bytes(1, 4));
    one.send(2, 'urgent', bytes(1, 5));
    await under.until(() => one.received.length === 2 && two.received.length === 1);
  });

  scenario('a node that is called and does not know the caller is no peer', async (under) => {
    // It knows nobody, as one does that was away while all others were replaced.
    await under.stop(1);
    const network = await under.start(1);
    network.removePeer(2);
    network.removePeer(3);
    const again = new Listener(network);
    await under.until(() => again.met.size === 2);
    assert.equal(again.reachable.size, 0);
    for (const [node, address] of again.met) again.setPeer(node, address);
    await under.until(() => again.reachable.size === 2);
  });
}

async function listenOn(under: NetworkUnderTest): Promise<Listener[]> {
  const listeners: Listener[] = [];
  for (const node of [1, 2, 3]) listeners.push(new Listener(await under.start(node)));
  await under.until(() => listeners.every(({ reachable }) => reachable.size === 2));
  return listeners;
}

function bytes(length: number, value: number): Uint8Array {
  return new Uint8Array(length).fill(value);
}

function plain({ from, lane, frame }: Received): unknown[] {
  return [from, lane, [...frame]];
}
