import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mapInOrder } from '../src/map-in-order.js';

/** Work that ends when the test says so. */
class Work {
  readonly started: number[] = [];
  readonly #ends = new Map<number, () => void>();

  run = (item: number): Promise<string> => {
    this.started.push(item);
    return new Promise((resolve) => this.#ends.set(item, () => resolve(`${item} done`)));
  };

  end(item: number): void {
    this.#ends.get(item)!();
  }
}

async function* numbers(count: number): AsyncGenerator<number> {
  for (let number = 1; number <= count; number++) yield number;
}

function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test('results come in the order of the items, whichever ends first', async () => {
  const work = new Work();
  const results = mapInOrder(numbers(3), work.run, 10);
  const first = results.next();
  await settle();
  assert.deepEqual(work.started, [1, 2, 3]);
  for (const item of [3, 2, 1]) work.end(item);
  assert.equal((await first).value, '1 done');
  assert.equal((await results.next()).value, '2 done');
  assert.equal((await results.next()).value, '3 done');
  assert.equal((await results.next()).done, true);
});

test('no more is started than may be under way, and a result that is taken makes room for one', async () => {
  const work = new Work();
  const results = mapInOrder(numbers(10), work.run, 2);
  const first = results.next();
  await settle();
  assert.deepEqual(work.started, [1, 2]);
  work.end(2);
  await settle();
  assert.deepEqual(work.started, [1, 2], 'the second result waits for the first');
  work.end(1);
  assert.equal((await first).value, '1 done');
  const second = results.next();
  await settle();
  assert.deepEqual(work.started, [1, 2, 3]);
  assert.equal((await second).value, '2 done');
});

test('a result is given while the input still waits for more', async () => {
  const work = new Work();
  async function* slow(): AsyncGenerator<number> {
    yield 1;
    await new Promise(() => {});
  }
  const results = mapInOrder(slow(), work.run, 10);
  const first = results.next();
  await settle();
  work.end(1);
  assert.equal((await first).value, '1 done');
});

test('an input that fails does so behind the results of what came before', async () => {
  const work = new Work();
  async function* broken(): AsyncGenerator<number> {
    yield 1;
    yield 2;
    throw new Error('line 3 is wrong');
  }
  const results = mapInOrder(broken(), work.run, 10);
  const first = results.next();
  await settle();
  work.end(1);
  work.end(2);
  assert.equal((await first).value, '1 done');
  assert.equal((await results.next()).value, '2 done');
  await assert.rejects(results.next(), /line 3 is wrong/);
});

test('nothing is started any more once the results are left', async () => {
  const work = new Work();
  let give: () => void = () => {};
  async function* slow(): AsyncGenerator<number> {
    yield 1;
    await new Promise<void>((resolve) => {
      give = resolve;
    });
    yield 2;
  }
  const results = mapInOrder(slow(), work.run, 10);
  const first = results.next();
  await settle();
  work.end(1);
  await first;
  await results.return(undefined);
  give();
  await settle();
  assert.deepEqual(work.started, [1]);
});
