// The ceiling of the disk: bare synced LevelDB writes, as the engine makes them and as the textbook does.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { quantile } from './harness.js';

/** What bare LevelDB does on this machine's temporary folder. */
export interface LevelCeiling {
  /** Median and 99th percentile of one synced put of 200 bytes, ms. */
  readonly putP50Ms: number;
  readonly putP99Ms: number;
  /** Records of 200 bytes a second: one put each, in synced batches of 256. */
  readonly putsPerSecond: number;
  /** The same records packed 64 to a value, 16 values to a synced batch. */
  readonly packedPerSecond: number;
}

const RECORD_BYTES = 200;

export async function measureLevel(options: { readonly smoke: boolean }): Promise<LevelCeiling> {
  const directory = await mkdtemp(join(tmpdir(), 'deltabase-bench-'));
  const db = new ClassicLevel<Buffer, Buffer>(join(directory, 'db'), {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
  });
  try {
    const puts = await timePuts(db, options.smoke ? 50 : 1000);
    const batches = options.smoke ? 5 : 200;
    return {
      putP50Ms: quantile(puts, 0.5),
      putP99Ms: quantile(puts, 0.99),
      putsPerSecond: await timeBatches(db, { batches, values: 256, recordsPerValue: 1 }),
      packedPerSecond: await timeBatches(db, { batches, values: 16, recordsPerValue: 64 }),
    };
  } finally {
    await db.close();
    await rm(directory, { recursive: true });
  }
}

async function timePuts(db: ClassicLevel<Buffer, Buffer>, count: number): Promise<number[]> {
  const value = Buffer.alloc(RECORD_BYTES, 1);
  const times: number[] = [];
  for (let n = 0; n < count; n++) {
    const start = performance.now();
    await db.put(keyOf(n), value, { sync: true });
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b);
}

async function timeBatches(
  db: ClassicLevel<Buffer, Buffer>,
  shape: { readonly batches: number; readonly values: number; readonly recordsPerValue: number },
): Promise<number> {
  const { batches, values, recordsPerValue } = shape;
  const value = Buffer.alloc(RECORD_BYTES * recordsPerValue, 2);
  const start = performance.now();
  for (let batch = 0; batch < batches; batch++) {
    const operations = Array.from({ length: values }, (_, at) => ({
      type: 'put' as const,
      key: keyOf(batch * values + at),
      value,
    }));
    await db.batch(operations, { sync: true });
  }
  const seconds = (performance.now() - start) / 1000;
  return (batches * values * recordsPerValue) / seconds;
}

function keyOf(n: number): Buffer {
  const key = Buffer.alloc(8);
  key.writeUInt32BE(n, 4);
  return key;
}
