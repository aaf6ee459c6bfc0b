// What one message costs as its document grows: it must be what it reads and emits (CostIsTheDelta).

import { makePrng } from '@deltabase/base';
import type { DocumentHandle } from '@deltabase/client';
import { benchModule, withBenchCluster } from './bench-cluster.js';
import {
  type BenchContext,
  type Benchmark,
  cell,
  checksumOf,
  type Measured,
  round,
  spreadOf,
} from './harness.js';
import { runLoad } from './load.js';

const FILL = 5000;
const IN_FLIGHT = 256;

export const documentSize: Benchmark = {
  name: 'document-size',
  question: 'Does the cost of a message grow with the document?',
  workload:
    'One document for each size, an object with that many numbers. Each message reads one of them, chosen at random, and replaces it; 256 in ' +
    'flight. The sizes take turns, so that a change of the machine meets them all.',
  doesNotShow: 'Loading a large document, which takes time that grows with it (benchmark cold).',
  async run(context: BenchContext): Promise<Measured> {
    const sizes = context.smoke ? [10, 1000] : [10, 1000, 100_000, 1_000_000];
    const runs = context.smoke ? 1 : 7;
    const messages = context.smoke ? 100 : 20_000;
    const random = makePrng(context.seed);
    const costs = new Map<number, number[]>(sizes.map((size) => [size, []]));
    const values = checksumOf(String(context.seed), String(messages), sizes.join());
    await withBenchCluster({}, async ({ client }) => {
      await client.machines.deploy('keys', await benchModule('keys'));
      const documents = sizes.map((size) => client.document('keys', `size-${size}`));
      for (const [at, size] of sizes.entries()) {
        await fill(documents[at]!, size);
        context.progress(`filled ${size}`);
      }
      // One round that does not count: for the first time everything is slower.
      for (let run = -1; run < runs; run++) {
        for (const [at, size] of sizes.entries()) {
          const next = () => set(documents[at]!, random.below(size), random.below(1000));
          const { perSecond } = await runLoad(messages, IN_FLIGHT, next);
          if (run >= 0) costs.get(size)!.push(1e6 / perSecond);
        }
      }
    });
    const medians = sizes.map((size) => spreadOf(costs.get(size)!).median);
    const rows = sizes.map((size, at) => [
      size,
      cell(spreadOf(costs.get(size)!)),
      round(medians[at]! / medians[0]!),
    ]);
    return {
      columns: ['members', 'µs a message', 'times the smallest'],
      rows,
      notes: [`Medians of ${runs} rounds of ${messages} messages.`],
      checksum: values,
    };
  },
};

async function fill(document: DocumentHandle, size: number): Promise<void> {
  for (let from = 0; from < size; from += FILL) {
    await document.send('fill', { from, count: Math.min(FILL, size - from) });
  }
}

function set(document: DocumentHandle, n: number, value: number) {
  const key = String(n).padStart(7, '0');
  return { document, channel: 'set', payload: { key, value } };
}
