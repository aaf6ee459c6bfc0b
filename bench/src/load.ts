// A closed loop of messages: so many in flight, each sent when one before it is answered.

import type { DocumentHandle } from '@deltabase/client';
import type { Json } from '@deltabase/delta';
import { quantile } from './harness.js';

/** One message of a workload. */
export interface Shot {
  readonly document: DocumentHandle;
  readonly channel: string;
  readonly payload: Json;
}

export interface LoadResult {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Sends `count` messages with `inFlight` of them unanswered at a time. Rejects if any fails. */
export async function runLoad(
  count: number,
  inFlight: number,
  next: (n: number) => Shot,
): Promise<LoadResult> {
  const latencies = new Float64Array(count);
  let sent = 0;
  const lane = async (): Promise<void> => {
    while (sent < count) {
      const n = sent++;
      const { document, channel, payload } = next(n);
      const start = performance.now();
      await document.send(channel, payload);
      latencies[n] = performance.now() - start;
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: Math.min(inFlight, count) }, lane));
  const seconds = (performance.now() - start) / 1000;
  const sorted = [...latencies.sort()];
  return {
    perSecond: count / seconds,
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
  };
}
