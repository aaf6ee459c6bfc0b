// The queue as a list of items with what is known of each, in plain TypeScript: what the machine must be
// indistinguishable from. Commands for fast-check drive both.

import assert from 'node:assert/strict';
import type { Json } from '@deltabase/delta';
import fc from 'fast-check';
import type { ExampleDocument } from '../../harness.js';

export interface Item {
  readonly attempts: number;
  readonly body: Json;
  readonly enqueuedAt: number;
}

type Items = Readonly<Record<string, Item>>;

export interface QueueState {
  readonly next: number;
  readonly ready: Items;
  readonly leased: Items;
  readonly dead: Items;
}

/** What `receive` replies for each item. */
export interface Received {
  readonly id: string;
  readonly receipt: string;
  readonly attempts: number;
  readonly body: Json;
}

interface ModelItem {
  readonly body: number;
  attempts: number;
  place: 'ready' | 'leased' | 'dead';
  receipt: string;
  until: number;
}

export interface Model {
  readonly items: Map<string, ModelItem>;
  next: number;
  now: number;
  attemptsMax: number;
}

type Command = fc.Command<Model, ExampleDocument>;

export function stateOf(queue: ExampleDocument): QueueState {
  return queue.state as unknown as QueueState;
}

/** Every item is in one place, under its own id. */
export function checkQueue(state: QueueState): void {
  const ids = [
    ...Object.keys(state.ready),
    ...Object.keys(state.dead),
    ...Object.keys(state.leased).map((receipt) => receipt.split('-')[1]!),
  ];
  assert.equal(new Set(ids).size, ids.length, 'no item is in two places');
  for (const id of ids) assert.ok(Number(id) < state.next, 'ids were given out');
}

/** Commands: all channels, with good and stale receipts, and time passing. */
export function queueCommands(): fc.Arbitrary<Command>[] {
  const pick = fc.nat(1000);
  return [
    fc.nat(99).map((body) => command('enqueue', (m, q) => enqueue(m, q, body))),
    fc
      .record({ leaseMs: fc.integer({ min: 1, max: 500 }), max: fc.integer({ min: 1, max: 4 }) })
      .map((payload) => command('receive', (m, q) => receive(m, q, payload.leaseMs, payload.max))),
    pick.map((n) => command('ack', (m, q) => ack(m, q, n))),
    pick.map((n) => command('nack', (m, q) => nack(m, q, n))),
    pick.map((n) => command('extend', (m, q) => extend(m, q, n))),
    fc.integer({ min: 1, max: 300 }).map((ms) =>
      command(`wait ${ms}`, (m, q) => {
        m.now += ms;
        q.time = m.now;
      }),
    ),
    fc.constant(command('redrive', redrive)),
    fc.integer({ min: 1, max: 4 }).map((attemptsMax) =>
      command('configure', (m, q) => {
        q.do('configure', { attemptsMax });
        m.attemptsMax = attemptsMax;
      }),
    ),
  ];
}

function command(name: string, run: (model: Model, queue: ExampleDocument) => void): Command {
  return {
    check: () => true,
    run(model, queue) {
      queue.time = model.now;
      run(model, queue);
      if (queue.state !== null) compare(model, stateOf(queue));
    },
    toString: () => name,
  };
}

function compare(model: Model, state: QueueState): void {
  checkQueue(state);
  const of = (place: string) =>
    [...model.items].filter(([, item]) => item.place === place).map(([id]) => id);
  assert.deepEqual(Object.keys(state.ready).sort(), of('ready').sort());
  assert.deepEqual(Object.keys(state.dead).sort(), of('dead').sort());
  const receipts = [...model.items.values()].filter(({ place }) => place === 'leased');
  assert.deepEqual(Object.keys(state.leased).sort(), receipts.map(({ receipt }) => receipt).sort());
}

function enqueue(model: Model, queue: ExampleDocument, body: number): void {
  const id = String(model.next++).padStart(12, '0');
  assert.equal(queue.do('enqueue', { body }), id);
  model.items.set(id, { body, attempts: 0, place: 'ready', receipt: '', until: 0 });
}

function receive(model: Model, queue: ExampleDocument, leaseMs: number, max: number): void {
  expire(model);
  const received = queue.do('receive', { leaseMs, max }) as unknown as readonly Received[];
  const expected = [...model.items]
    .filter(([, item]) => item.place === 'ready')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, max);
  assert.deepEqual(
    received.map(({ id, body }) => [id, body]),
    expected.map(([id, { body }]) => [id, body]),
  );
  for (const [i, [, item]] of expected.entries()) {
    item.attempts++;
    item.place = 'leased';
    item.receipt = received[i]!.receipt;
    item.until = model.now + leaseMs;
    assert.equal(received[i]!.attempts, item.attempts);
  }
}

function ack(model: Model, queue: ExampleDocument, pick: number): void {
  withLease(model, queue, 'ack', pick, (id) => model.items.delete(id));
}

function nack(model: Model, queue: ExampleDocument, pick: number): void {
  withLease(model, queue, 'nack', pick, (_, item) => giveBack(model, item));
}

function extend(model: Model, queue: ExampleDocument, pick: number): void {
  withLease(model, queue, 'extend', pick, (_, item, reply) => {
    item.receipt = reply as string;
    item.until = model.now + 30_000;
  });
}

/** Uses some item's last receipt: fine while its lease lasts, rejected otherwise. */
function withLease(
  model: Model,
  queue: ExampleDocument,
  channel: string,
  pick: number,
  done: (id: string, item: ModelItem, reply: Json | undefined) => void,
): void {
  const [id, item] = [...model.items][pick % Math.max(1, model.items.size)] ?? [];
  if (id === undefined || item === undefined) {
    queue.rejected(channel, { receipt: 'none' });
  } else if (item.place !== 'leased' || item.until <= model.now) {
    queue.rejected(channel, { receipt: item.receipt });
  } else {
    done(id, item, queue.do(channel, { receipt: item.receipt }));
  }
}

function redrive(model: Model, queue: ExampleDocument): void {
  const dead = [...model.items.values()].filter(({ place }) => place === 'dead').slice(0, 1);
  assert.equal(queue.do('redrive'), dead.length);
  // The oldest: the map keeps the order of enqueueing.
  for (const item of dead) {
    item.place = 'ready';
    item.attempts = 0;
  }
}

function expire(model: Model): void {
  for (const item of model.items.values()) {
    if (item.place === 'leased' && item.until <= model.now) giveBack(model, item);
  }
}

function giveBack(model: Model, item: ModelItem): void {
  item.place = item.attempts >= model.attemptsMax ? 'dead' : 'ready';
}
