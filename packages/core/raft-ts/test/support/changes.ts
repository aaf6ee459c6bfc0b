// Configuration changes in few words.

import type { ConfChange, NodeChange } from '../../src/conf-change.js';
import type { NodeId } from '../../src/types.js';
import { NO_DATA } from './entries.js';

export const add = (node: NodeId): NodeChange => ({ kind: 'addVoter', node });
export const listen = (node: NodeId): NodeChange => ({ kind: 'addLearner', node });
export const remove = (node: NodeId): NodeChange => ({ kind: 'remove', node });

export function auto(...changes: readonly NodeChange[]): ConfChange {
  return { transition: 'auto', changes, context: NO_DATA };
}

export function implicit(...changes: readonly NodeChange[]): ConfChange {
  return { transition: 'implicit', changes, context: NO_DATA };
}

export function explicit(...changes: readonly NodeChange[]): ConfChange {
  return { transition: 'explicit', changes, context: NO_DATA };
}
