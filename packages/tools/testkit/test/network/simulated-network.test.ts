import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CALM_NETWORK,
  type NetworkUnderTest,
  type NetworkWeather,
  SimulatedNetwork,
  Simulation,
  simulatedPeerAddress,
  testNetworkConformance,
} from '../../src/index.js';

async function open(): Promise<NetworkUnderTest> {
  const simulation = new Simulation(2);
  const weather = { ...CALM_NETWORK };
  const chance = simulation.random.fork('network');
  const network = new SimulatedNetwork({ simulation, weather, chance });
  return {
    start: async (node) => {
      const attached = network.attach(node);
      for (const peer of [1, 2, 3]) {
        if (peer !== node) attached.setPeer(peer, simulatedPeerAddress(peer));
      }
      simulation.schedule(1, () => network.connect(node));
      return attached;
    },
    addressOf: simulatedPeerAddress,
    stop: async (node) => network.detach(node),
    until: async (is) => simulation.runUntil(is),
    close: async () => {},
  };
}

testNetworkConformance('the simulated network', open);

/** Two nodes, and the frames that the second gets, by their first byte. */
function pair(weather: Partial<NetworkWeather> = {}) {
  const simulation = new Simulation(7);
  const chance = simulation.random.fork('network');
  const all = { ...CALM_NETWORK, ...weather };
  const network = new SimulatedNetwork({ simulation, weather: all, chance });
  const [one, two] = [network.attach(1), network.attach(2)];
  const got: number[] = [];
  const lengths: number[] = [];
  const reachable: boolean[] = [];
  one.setPeer(2, simulatedPeerAddress(2));
  two.setPeer(1, simulatedPeerAddress(1));
  one.listen({ received() {}, reachable: (_peer, is) => reachable.push(is), met() {} });
  two.listen({
    received(_from, _lane, frame) {
      got.push(frame[0]!);
      lengths.push(frame.length);
    },
    reachable() {},
    met() {},
  });
  for (const id of [1, 2]) network.connect(id);
  const send = (count: number): void => {
    for (let n = 0; n < count; n++) one.send(2, 'urgent', Uint8Array.of(n, 0, 0));
  };
  return { simulation, network, one, two, got, lengths, reachable, send };
}

const NUMBERS = Array.from({ length: 100 }, (_, n) => n);

test('frames overtake each other unless they are ordered', () => {
  for (const ordered of [false, true]) {
    const { simulation, got, send } = pair({ ordered, delayMsMax: 50, lateRate: 0.1 });
    send(100);
    simulation.runFor(10_000);
    assert.deepEqual(
      [...got].sort((a, b) => a - b),
      NUMBERS,
    );
    assert.equal(String(got) === String(NUMBERS), ordered);
  }
});

test('frames are lost, doubled and shortened at the rates that are given', () => {
  const { simulation, got, lengths, send } = pair({
    dropRate: 0.5,
    duplicateRate: 0.5,
    truncateRate: 0.5,
  });
  send(100);
  simulation.runFor(100);
  const kinds = new Set(got);
  assert.ok(kinds.size > 30 && kinds.size < 70, `${kinds.size} came`);
  assert.ok(got.length > kinds.size + 10, `${got.length - kinds.size} came twice`);
  assert.ok(lengths.filter((length) => length < 3).length > 20);
});

test('a clogged link keeps what is sent, and a cut one loses it, one way', () => {
  const { simulation, network, one, got, send } = pair();
  network.setLink(1, 2, 'clogged');
  send(3);
  simulation.runFor(1000);
  assert.deepEqual(got, []);
  assert.equal(one.queuedBytes(2, 'urgent'), 9, 'the sender sees what waits');
  network.setLink(1, 2, 'whole');
  simulation.runFor(10);
  assert.deepEqual([...got].sort(), [0, 1, 2]);
  assert.equal(one.queuedBytes(2, 'urgent'), 0);
  network.setLink(1, 2, 'clogged');
  send(3);
  network.setLink(1, 2, 'cut');
  send(3);
  network.setLink(1, 2, 'whole');
  network.setLink(2, 1, 'cut');
  send(1);
  simulation.runFor(10);
  assert.equal(got.length, 4);
  assert.equal(one.queuedBytes(2, 'urgent'), 0);
});

test('a connection that breaks takes along what is on its way, and its sender is told', () => {
  const { simulation, network, one, got, reachable, send } = pair();
  send(3);
  network.reset(1, 2);
  assert.deepEqual(reachable, [true, false, true]);
  assert.equal(one.queuedBytes(2, 'urgent'), 0);
  send(1);
  simulation.runFor(10);
  assert.deepEqual(got, [0]);
});
