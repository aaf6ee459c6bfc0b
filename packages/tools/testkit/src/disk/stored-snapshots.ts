// How many snapshots of whole groups a node has taken from others, by what its disk holds.

import { inspectNode, runTask, type StoredNode } from '@deltabase/engine';
import { MemoryDisk } from './memory-disk.js';
import type { SortedMap } from './sorted-map.js';

/** Each of them, tried or taken, has a generation of its own; the first is what the group was made with. */
export function countSnapshots(rows: SortedMap): number {
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
  return found!.stored.filter(({ generation }) => generation > 1).length;
}
