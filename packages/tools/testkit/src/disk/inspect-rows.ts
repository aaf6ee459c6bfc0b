// What the disk of a simulated node holds, as the engine's inspection of a stopped node tells it.

import { inspectNode, runTask, type StoredNode } from '@deltabase/engine';
import { MemoryDisk } from './memory-disk.js';
import type { SortedMap } from './sorted-map.js';

/** What a node finds that starts with these rows. Throws what the inspection does. */
export function inspectRows(rows: SortedMap): StoredNode {
  const disk = new MemoryDisk({ later: (_kind, run) => run() }, rows);
  let found: StoredNode | undefined;
  runTask(
    inspectNode(disk),
    (step) => step(),
    (node) => {
      found = node;
    },
    (thrown) => {
      throw thrown;
    },
  );
  return found!;
}

/**
 * How many snapshots of whole groups the node has taken from others: each of them, tried or taken, has a generation
 * of its own; the first is what the group was made with.
 */
export function countSnapshots(rows: SortedMap): number {
  return inspectRows(rows).stored.filter(({ generation }) => generation > 1).length;
}
