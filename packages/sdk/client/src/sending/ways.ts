// What sending needs to know of the cluster.

import type { NodeStream } from './node-stream.js';

/** The ways to the nodes, as far as they are open. */
export interface Ways {
  /** The group of a document; 0: nobody knows. */
  groupOf(space: string, key: string): number;
  /** The stream to the leader of `group`; `undefined`: it is unknown or cannot be reached now. */
  straight(group: number): NodeStream | undefined;
  /** Some stream, another one with each `attempt`; `undefined`: no node can be reached now. */
  any(group: number, attempt: number): NodeStream | undefined;
}
