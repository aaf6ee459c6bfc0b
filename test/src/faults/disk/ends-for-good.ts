// What a node must do at the first write that fails (docs/leveldb.md, fact 1).

import type { ProcessNode } from '@deltabase/testkit';
import { within } from '../../scratch.js';

/** It says that storage failed, and its process ends by itself with the code for that. */
export async function endsForGood(node: ProcessNode): Promise<void> {
  const code = await within(`node ${node.id} ends when it cannot write`, node.exited, 60_000);
  const hasSaid = node.log.some((line) => line.includes('"storage-failed"'));
  if (code === 1 && hasSaid) return;
  throw new Error(`node ${node.id} ended with ${code}:\n${node.log.slice(-5).join('\n')}`);
}
