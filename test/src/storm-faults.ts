// What a storm does to a node, and how the node comes back.

import type { Prng } from '@deltabase/base';
import type { ProcessNode } from '@deltabase/testkit';
import { sleep } from './scratch.js';

/**
 * `kill`: kill -9, and started again; `pause`: SIGSTOP, and SIGCONT after a while, so that the node goes on in a
 * cluster that went on without it; `term`: SIGTERM, after which it must end in order, and started again.
 */
export type Fault = 'kill' | 'pause' | 'term';

export const FAULTS: readonly Fault[] = ['kill', 'pause', 'term'];

/** How many there were of each. */
export type FaultCounts = Readonly<Record<Fault, number>>;

export interface FaultOptions {
  readonly random: Prng;
  /** The longest that a node is paused, ms; the shortest is a tenth of it. */
  readonly pauseMsMax: number;
}

const DOWN_MS = 500;

/** Does it; resolves when the node runs again. Rejects if it does not end, or not begin, as it must. */
export async function inflict(
  fault: Fault,
  node: ProcessNode,
  { random, pauseMsMax }: FaultOptions,
): Promise<void> {
  if (fault === 'pause') {
    const pauseMsMin = Math.ceil(pauseMsMax / 10);
    node.signal('SIGSTOP');
    await sleep(pauseMsMin + random.below(pauseMsMax - pauseMsMin + 1));
    node.signal('SIGCONT');
    return;
  }
  const code = await node.stop(fault === 'kill' ? 'SIGKILL' : 'SIGTERM');
  if (fault === 'term' && code !== 0) {
    throw new Error(`node ${node.id} ended with ${code} on SIGTERM:\n${node.log.join('\n')}`);
  }
  await sleep(DOWN_MS);
  await node.start();
}
