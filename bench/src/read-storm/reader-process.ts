// Readers of one document, in a process of their own: each reads again as soon as it has its answers. Told by its parent
// a plan to begin and `stop` to end; tells how many reads were answered and how many were refused.

import { LeanReader, type Seen } from './lean-reader.js';

export interface ReadersPlan {
  /** Where they begin: host:port. */
  readonly home: string;
  readonly space: string;
  readonly key: string;
  readonly readers: number;
  /** Reads that one of them has open. */
  readonly readsAtOnce: number;
}

/** What it tells, twice a second: since it began. */
export type ReadersReport = Omit<Seen, 'seq'>;

const REPORT_MS = 500;

function run({ readers: count, ...plan }: ReadersPlan): void {
  const seen: Seen = { seq: 0, reads: 0, refused: 0 };
  const readers = Array.from({ length: count }, () => new LeanReader({ ...plan, seen }));
  const report = (): void => {
    const { reads, refused } = seen;
    process.send!({ reads, refused } satisfies ReadersReport);
  };
  const timer = setInterval(report, REPORT_MS);
  process.on('message', (message) => {
    if (message !== 'stop') return;
    clearInterval(timer);
    for (const reader of readers) reader.stop();
    report();
    process.disconnect();
  });
}

process.once('message', (plan) => run(plan as ReadersPlan));
process.on('disconnect', () => process.exit());
