// The ceiling of the disk: bare synced LevelDB writes, as the engine makes them and as the textbook does.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';

const RECORD_BYTES = 200;

/** A LevelDB in the folder for temporary files, where the nodes' are too. */
export class BareLevel {
  readonly #db: ClassicLevel<Buffer, Buffer>;
  #next = 0;

  /** Runs `use` with an empty database; nothing of it stays. */
  static async with<T>(use: (level: BareLevel) => Promise<T>): Promise<T> {
    const directory = await mkdtemp(join(tmpdir(), 'deltabase-bench-'));
    const options = { keyEncoding: 'buffer', valueEncoding: 'buffer' };
    const db = new ClassicLevel<Buffer, Buffer>(join(directory, 'db'), options);
    try {
      return await use(new BareLevel(db));
    } finally {
      await db.close();
      await rm(directory, { recursive: true });
    }
  }

  private constructor(db: ClassicLevel<Buffer, Buffer>) {
    this.#db = db;
  }

  /** Times of `count` synced puts of 200 bytes, one after the other, ms. */
  async timePuts(count: number): Promise<number[]> {
    const value = Buffer.alloc(RECORD_BYTES, 1);
    const times: number[] = [];
    for (let n = 0; n < count; n++) {
      const start = performance.now();
      await this.#db.put(this.#key(), value, { sync: true });
      times.push(performance.now() - start);
    }
    return times;
  }

  /** Records of 200 bytes a second: so many packed in a value, and so many values in a synced batch. */
  async recordsPerSecond(shape: {
    readonly batches: number;
    readonly values: number;
    readonly recordsPerValue: number;
  }): Promise<number> {
    const { batches, values, recordsPerValue } = shape;
    const value = Buffer.alloc(RECORD_BYTES * recordsPerValue, 2);
    const start = performance.now();
    for (let batch = 0; batch < batches; batch++) {
      const operations = Array.from({ length: values }, () => ({
        type: 'put' as const,
        key: this.#key(),
        value,
      }));
      await this.#db.batch(operations, { sync: true });
    }
    const seconds = (performance.now() - start) / 1000;
    return (batches * values * recordsPerValue) / seconds;
  }

  #key(): Buffer {
    const key = Buffer.alloc(8);
    key.writeUInt32BE(this.#next++, 4);
    return key;
  }
}
