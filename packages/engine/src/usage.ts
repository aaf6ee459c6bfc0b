// How much of each limit of memory a node uses at this moment: the numbers of its queues, to be held against limits.ts.

import type { Limits } from '@deltabase/base';
import type { EngineParts } from './parts.js';

export interface Usage {
  readonly limit: keyof Limits;
  readonly used: number;
  /** `undefined`: of the whole node. */
  readonly group: number | undefined;
}

/** Gathers it; `open` are requests that wait for the disk. */
export function usageOf(
  { groups, reads, watches, heads, readLoad, forwarding, writer, snapshots }: EngineParts,
  open: number,
): Usage[] {
  const ofNode: Array<Omit<Usage, 'group'>> = [
    { limit: 'readQueueMax', used: Math.max(reads.openCount, heads.openCount, open) },
    { limit: 'watchesPerNodeMax', used: watches.count },
    { limit: 'watchVersionsBytesMax', used: watches.heldVersionsBytes },
    {
      limit: 'heatDocumentsMax',
      used: Math.max(readLoad.heat.documentCount, readLoad.heat.hotCount),
    },
    { limit: 'watchStepsBytesMax', used: watches.keptStepsBytes },
    { limit: 'forwardsMax', used: forwarding.waitingCount },
    { limit: 'writeQueueBytesMax', used: writer.waitingBytes },
    { limit: 'snapshotTransfersMax', used: snapshots.count },
  ];
  return [
    ...ofNode.map((usage) => ({ group: undefined, ...usage })),
    ...groups.flatMap((group) => group.usage().map((usage) => ({ group: group.id, ...usage }))),
  ];
}
