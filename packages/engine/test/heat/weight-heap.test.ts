import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { WeightHeap } from '../../src/heat/weight-heap.js';

const CAPACITY = 12;

const step = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), weight: fc.nat({ max: 20 }) }),
  fc.record({
    kind: fc.constant('grow' as const),
    pick: fc.nat({ max: CAPACITY - 1 }),
    by: fc.nat({ max: 20 }),
  }),
  fc.record({ kind: fc.constant('removeLeast' as const) }),
  fc.record({ kind: fc.constant('scale' as const), factor: fc.constantFrom(0.5, 2, 0.1) }),
);

test('the least slot is the least, whatever is added, grows, leaves or is scaled', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const heap = new WeightHeap(CAPACITY);
      const model = new Map<number, number>();
      for (const one of steps) {
        const slots = [...model.keys()];
        if (one.kind === 'add' && model.size < CAPACITY) {
          const slot = Array.from({ length: CAPACITY }, (_, at) => at).find(
            (at) => !model.has(at),
          )!;
          heap.add(slot, one.weight);
          model.set(slot, one.weight);
        } else if (one.kind === 'grow' && model.size > 0) {
          const slot = slots[one.pick % slots.length]!;
          heap.grow(slot, one.by);
          model.set(slot, model.get(slot)! + one.by);
        } else if (one.kind === 'removeLeast' && model.size > 0) {
          const slot = heap.removeLeast();
          assert.equal(model.get(slot), Math.min(...model.values()));
          model.delete(slot);
        } else if (one.kind === 'scale') {
          heap.scale(one.factor);
          for (const [slot, weight] of model) model.set(slot, weight * one.factor);
        }
        assert.equal(heap.size, model.size);
        if (model.size > 0) {
          assert.equal(model.get(heap.least), Math.min(...model.values()));
        }
        for (const [slot, weight] of model) assert.equal(heap.weightOf(slot), weight);
      }
    }),
    { numRuns: 500 },
  );
});
