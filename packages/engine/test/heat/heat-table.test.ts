import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DELIVERY_COST, HeatTable } from '../../src/heat/heat-table.js';

const HALF_LIFE_MS = 1000;
const PER_SECOND = (Math.LN2 * 1000) / HALF_LIFE_MS;
/** What is forgotten of a document, and what rounding costs, in events a second. */
const TOLERANCE = 2e-6;

interface Event {
  readonly ms: number;
  readonly key: string;
  readonly events: number;
  readonly isRead: boolean;
}

interface Exact {
  reads: number;
  deliveries: number;
  bytes: number;
  heat: number;
}

/** Every event kept, and each weighed when asked: what the table must come near to. */
class Model {
  readonly #events: Event[] = [];

  add(event: Event): void {
    this.#events.push(event);
  }

  at(nowMs: number): { readonly byKey: Map<string, Exact>; readonly total: number } {
    const byKey = new Map<string, Exact>();
    let total = 0;
    for (const { ms, key, events, isRead } of this.#events) {
      const weight = events * 2 ** (-(nowMs - ms) / HALF_LIFE_MS) * PER_SECOND;
      const exact = byKey.get(key) ?? { reads: 0, deliveries: 0, bytes: 0, heat: 0 };
      byKey.set(key, exact);
      if (isRead) exact.reads += weight;
      else exact.deliveries += weight;
      exact.bytes += weight * 10;
      exact.heat += isRead ? weight : weight * DELIVERY_COST;
      total += isRead ? weight : weight * DELIVERY_COST;
    }
    return { byKey, total };
  }
}

const step = fc.record({
  passedMs: fc.oneof(
    fc.constant(0),
    fc.nat({ max: 500 }),
    fc.nat({ max: 5000 }),
    fc.constantFrom(31_000, 33_000, 200_000),
  ),
  // Few are hot and many are not.
  key: fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 30 })).map((at) => `d${at}`),
  events: fc.integer({ min: 1, max: 40 }),
  isRead: fc.boolean(),
});

const name = (key: string) => ({ space: key < 'd2' ? 'a' : 'b', key });

function feed(table: HeatTable, { key, events, isRead }: Omit<Event, 'ms'>): void {
  if (!isRead) table.delivered(name(key), events, events * 10);
  else for (let left = events; left > 0; left--) table.read(name(key), 10);
}

test('heat is never too low, too high by at most N / k, and nobody hotter than that is missed (HeatIsBounded)', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 80 }),
      fc.integer({ min: 1, max: 8 }),
      (steps, documentsMax) => {
        const table = new HeatTable({ documentsMax, halfLifeMs: HALF_LIFE_MS });
        const model = new Model();
        let nowMs = 1e6;
        for (const { passedMs, ...event } of steps) {
          nowMs += passedMs;
          table.advance(nowMs);
          feed(table, event);
          model.add({ ms: nowMs, ...event });
          check(table, model.at(nowMs), documentsMax);
        }
      },
    ),
    { numRuns: 300 },
  );
});

function check(table: HeatTable, exact: ReturnType<Model['at']>, documentsMax: number): void {
  const bound = exact.total / documentsMax;
  near(table.totalHeat, exact.total, 'the heat of all');
  assert.ok(table.size <= documentsMax);
  assert.ok(table.untoldHeat <= bound + TOLERANCE, 'what is untold is at most N / k');
  for (const [key, { reads, deliveries, bytes, heat }] of exact.byKey) {
    const found = table.find(name(key));
    if (found === undefined) {
      assert.ok(heat <= table.untoldHeat + TOLERANCE, `${key} is missed: ${heat}`);
      continue;
    }
    assert.ok(found.heatError <= bound + TOLERANCE, 'the error is at most N / k');
    assert.ok(found.heat <= heat + TOLERANCE, `${key} is certain of too much`);
    assert.ok(found.heat + found.heatError >= heat - TOLERANCE, `${key} is estimated too low`);
    if (found.heatError > 0) continue;
    near(found.readsPerSecond, reads, 'reads');
    near(found.deliveriesPerSecond, deliveries, 'deliveries');
    near(found.bytesPerSecond, bytes, 'bytes');
  }
}

function near(actual: number, expected: number, what: string): void {
  const tolerance = 10 * TOLERANCE + Math.abs(expected) * 1e-9;
  assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual}, not ${expected}`);
}

test('the hottest come first, as far as N / k tells them apart', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 80 }), (steps) => {
      const documentsMax = 6;
      const table = new HeatTable({ documentsMax, halfLifeMs: HALF_LIFE_MS });
      const model = new Model();
      let nowMs = 0;
      for (const { passedMs, ...event } of steps) {
        nowMs += passedMs;
        table.advance(nowMs);
        feed(table, event);
        model.add({ ms: nowMs, ...event });
      }
      const { byKey, total } = model.at(nowMs);
      const listed = table.hottest(documentsMax).map(({ key }) => key);
      const heatOf = (key: string): number => byKey.get(key)!.heat;
      for (const [at, key] of listed.entries()) {
        for (const later of listed.slice(at + 1)) {
          assert.ok(heatOf(key) >= heatOf(later) - total / documentsMax - TOLERANCE);
        }
      }
      const sure = [...table.atLeast(1)].map(({ key }) => key).sort();
      assert.deepEqual(
        sure,
        table
          .hottest(documentsMax)
          .filter(({ heat }) => heat >= 1)
          .map(({ key }) => key)
          .sort(),
      );
    }),
    { numRuns: 300 },
  );
});

test('with room for all of them the hottest come in their order, late events before early ones', () => {
  const table = new HeatTable({ documentsMax: 10, halfLifeMs: HALF_LIFE_MS });
  feed(table, { key: 'd0', events: 29, isRead: true });
  feed(table, { key: 'd1', events: 20, isRead: true });
  feed(table, { key: 'd2', events: 210, isRead: false });
  table.advance(HALF_LIFE_MS);
  feed(table, { key: 'd3', events: 15, isRead: true });
  assert.deepEqual(
    table.hottest(3).map(({ key }) => key),
    ['d3', 'd0', 'd2'],
  );
});

test('a steady rate is shown as it is, after some half-lives, and half of it after one more without', () => {
  const table = new HeatTable({ documentsMax: 4, halfLifeMs: HALF_LIFE_MS });
  for (let ms = 0; ms < 10_000; ms += 5) {
    table.advance(ms);
    table.read({ space: 's', key: 'a' }, 1000);
    table.delivered({ space: 's', key: 'a' }, 3, 30);
  }
  const shown = table.find({ space: 's', key: 'a' })!;
  assert.ok(Math.abs(shown.readsPerSecond - 200) < 2, `${shown.readsPerSecond}`);
  assert.ok(Math.abs(shown.deliveriesPerSecond - 600) < 6, `${shown.deliveriesPerSecond}`);
  assert.ok(Math.abs(shown.bytesPerSecond - 206_000) < 2000, `${shown.bytesPerSecond}`);
  near(shown.heat, shown.readsPerSecond + shown.deliveriesPerSecond * DELIVERY_COST, 'heat');
  table.advance(9995 + HALF_LIFE_MS);
  near(table.find({ space: 's', key: 'a' })!.heat, shown.heat / 2, 'half');
});

test('what happens at one time is not weighed by what was asked before, and a clock that stands changes nothing', () => {
  const table = new HeatTable({ documentsMax: 4, halfLifeMs: HALF_LIFE_MS });
  table.advance(5000);
  table.read({ space: 's', key: 'a' }, 1);
  table.advance(4000);
  table.read({ space: 's', key: 'a' }, 1);
  near(table.find({ space: 's', key: 'a' })!.readsPerSecond, 2 * PER_SECOND, 'two reads now');
});

test('documents nobody asks for any more are forgotten, and make room', () => {
  const table = new HeatTable({ documentsMax: 3, halfLifeMs: HALF_LIFE_MS });
  for (const key of ['a', 'b', 'c']) table.read({ space: 's', key }, 1);
  assert.ok(table.untoldHeat > 0);
  table.advance(20_000);
  table.read({ space: 's', key: 'a' }, 1);
  table.advance(33_000);
  assert.deepEqual(
    table.hottest(3).map(({ key }) => key),
    ['a'],
  );
  assert.equal(table.untoldHeat, 0);
  table.read({ space: 's', key: 'd' }, 1);
  assert.equal(table.find({ space: 's', key: 'd' })!.heatError, 0);
});
