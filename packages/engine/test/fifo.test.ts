import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Fifo } from '../src/fifo.js';

test('a fifo gives what it took, in order, through any mix of both', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -3, max: 5 }), { maxLength: 200 }), (moves) => {
      const fifo = new Fifo<number>();
      const model: number[] = [];
      let next = 0;
      for (const move of moves) {
        for (let count = 0; count < move; count++) {
          fifo.push(next);
          model.push(next++);
        }
        for (let count = 0; count > move; count--) assert.equal(fifo.shift(), model.shift());
        assert.equal(fifo.length, model.length);
        assert.equal(fifo.peek(), model[0]);
      }
      assert.deepEqual(fifo.drain(), model);
      assert.equal(fifo.length, 0);
      assert.equal(fifo.shift(), undefined);
    }),
  );
});

test('a fifo that was emptied and drained goes on', () => {
  const fifo = new Fifo<number>();
  for (let item = 0; item < 100; item++) fifo.push(item);
  for (let item = 0; item < 60; item++) fifo.shift();
  assert.equal(fifo.drain().length, 40);
  fifo.push(7);
  assert.equal(fifo.shift(), 7);
});
