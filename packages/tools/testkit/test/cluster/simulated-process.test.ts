import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SimulatedProcess } from '../../src/cluster/simulated-process.js';
import { Simulation } from '../../src/index.js';

/** A process that notes what it does, and calls back soon whenever it has done something that asks for it. */
function started(seed: number) {
  const simulation = new Simulation(seed);
  const process = new SimulatedProcess({ simulation, name: 'p', trace: undefined });
  const life = process.begin();
  const done: string[] = [];
  const note =
    (what: string): (() => void) =>
    () =>
      done.push(what);
  const event = (what: string): void => process.enter(life, note(what));
  const clock = process.clockPort(
    (run) => process.enter(life, run),
    (run) => process.enterSoon(life, run),
  );
  const soon = (what: string): void => clock.soon(note(what));
  return { simulation, process, done, note, event, soon, clock };
}

test('a process that stood still goes on before its turn, or behind all that has happened meanwhile', () => {
  const seen = new Set<string>();
  for (let seed = 1; seed <= 32; seed++) {
    const { simulation, process, done, event, soon } = started(seed);
    soon('turn');
    process.pause();
    simulation.runFor(1);
    event('frame 1');
    event('frame 2');
    assert.deepEqual(done, []);
    process.resume();
    simulation.runFor(1);
    seen.add(done.join(', '));
  }
  assert.deepEqual([...seen].sort(), ['frame 1, frame 2, turn', 'turn, frame 1, frame 2']);
});

test('one that stands still again at once loses nothing, and keeps the order', () => {
  const { simulation, process, done, event, soon } = started(1);
  soon('turn');
  process.pause();
  simulation.runFor(1);
  event('frame');
  process.resume();
  process.pause();
  simulation.runFor(1);
  assert.deepEqual(done, []);
  process.resume();
  simulation.runFor(1);
  assert.deepEqual([...done].sort(), ['frame', 'turn']);
});

test('its timers ring once for all the time that it stood still', () => {
  const { simulation, process, done, note, clock } = started(1);
  clock.every(10, note('tick'));
  process.pause();
  simulation.runFor(100);
  process.resume();
  simulation.runFor(1);
  assert.deepEqual(done, ['tick']);
});

test('what it had not got round to ends with its life', () => {
  const { simulation, process, done, event, soon } = started(1);
  soon('turn');
  process.pause();
  simulation.runFor(1);
  event('frame');
  process.end();
  process.resume();
  simulation.runFor(1);
  assert.deepEqual(done, []);
});
