// Readers of one document, in a process of their own: each reads again as soon as it has an answer. Told by its parent
// `{ addresses, space, key, readers }` to begin and `stop` to end; tells how many reads were answered and how many were refused.

import { connect, DeltabaseError } from '@deltabase/client';

export interface ReadersPlan {
  readonly addresses: readonly string[];
  readonly space: string;
  readonly key: string;
  readonly readers: number;
}

/** What it tells, twice a second: since it began. */
export interface ReadersReport {
  readonly reads: number;
  readonly refused: number;
}

const REPORT_MS = 500;

async function run({ addresses, space, key, readers }: ReadersPlan): Promise<void> {
  const client = await connect({ addresses: [...addresses] });
  const document = client.document(space, key);
  let isOver = false;
  let reads = 0;
  let refused = 0;
  let lastSeq = 0;
  const read = async (): Promise<void> => {
    while (!isOver) {
      try {
        const before = lastSeq;
        const { seq } = await document.get();
        // Linearizable: nobody sees less than was seen before he began.
        if (seq < before) throw new Error(`a read gave seq ${seq} after ${before}`);
        lastSeq = Math.max(lastSeq, seq);
        reads++;
      } catch (thrown) {
        if (!(thrown instanceof DeltabaseError)) throw thrown;
        refused++;
      }
    }
  };
  const report = (): void => void process.send!({ reads, refused } satisfies ReadersReport);
  const timer = setInterval(report, REPORT_MS);
  process.on('message', (message) => {
    isOver ||= message === 'stop';
  });
  await Promise.all(Array.from({ length: readers }, read));
  clearInterval(timer);
  report();
  await client.close({ abandon: true });
  process.disconnect();
}

process.once('message', (plan) => void run(plan as ReadersPlan));
process.on('disconnect', () => process.exit());
