// How a node, or a replica, is run as a process of its own.

import { fileURLToPath } from 'node:url';

/** Flags of Node.js that the process should run under; whoever spawns it passes them. */
export const NODE_FLAGS: readonly string[] = [
  // Without it a process can have about 13,000 Wasm memories: each reserves 10 GB of address space.
  '--disable-wasm-trap-handler',
  // Messages in flight outlive a young generation of the default size, and are copied twice for nothing.
  '--max-semi-space-size=32',
  // Its helper threads take more from a node under load than they give.
  '--no-parallel-scavenge',
  // Where V8 once saw objects live long, as in a burst, it puts all of their kind among the old for ever: each message
  // then costs a full collection its record, and the young one all that hangs on it.
  '--no-allocation-site-pretenuring',
];

/** Runs a node, whose options go behind it, or with `replica` and its options behind it a replica. */
export const NODE_COMMAND: readonly string[] = [
  process.execPath,
  '--enable-source-maps',
  ...NODE_FLAGS,
  fileURLToPath(new URL('main.js', import.meta.url)),
];
