// Configuration changes as they are proposed, and their encoding as entry data (Raft §6, thesis §4).
// Encoding, version 1: version byte, transition byte, number of changes (4 bytes, little-endian), 9 bytes for
// each (kind byte, node id as 8 bytes little-endian), then the context to the end.

import { RaftError } from './errors.js';
import { isNodeId, type NodeId } from './types.js';

/** What happens to one node. */
export interface NodeChange {
  readonly kind: 'addVoter' | 'addLearner' | 'remove';
  readonly node: NodeId;
}

/**
 * How the change is made:
 *   auto      one change of at most one voter at once, without a joint configuration; more of them by a joint
 *             configuration that the leader leaves by itself;
 *   implicit  always by a joint configuration, which the leader leaves by itself;
 *   explicit  always by a joint configuration, which stays until a change without any changes is proposed.
 */
export type Transition = 'auto' | 'implicit' | 'explicit';

/** A proposed change. Without changes, and `auto`, it leaves the joint configuration. */
export interface ConfChange {
  readonly transition: Transition;
  readonly changes: readonly NodeChange[];
  /** The host's own bytes, to recognise the change by. */
  readonly context: Uint8Array;
}

const VERSION = 1;
const KINDS = ['addVoter', 'addLearner', 'remove'] as const;
const TRANSITIONS = ['auto', 'implicit', 'explicit'] as const;
const HEADER_BYTES = 6;
const CHANGE_BYTES = 9;
const NO_CONTEXT = new Uint8Array(0);

/** The change that leaves a joint configuration. */
export const LEAVE_JOINT: ConfChange = { transition: 'auto', changes: [], context: NO_CONTEXT };

/** Whether the change leaves the joint configuration. */
export function leavesJoint(change: ConfChange): boolean {
  return change.changes.length === 0 && change.transition === 'auto';
}

/** Whether the change goes by a joint configuration. */
export function entersJoint(change: ConfChange): boolean {
  return change.transition !== 'auto' || change.changes.length > 1;
}

/** Throws RaftError ConfChangeInvalid for a node id that is none. */
export function encodeConfChange(change: ConfChange): Uint8Array {
  const { transition, changes, context } = change;
  const bytes = new Uint8Array(HEADER_BYTES + changes.length * CHANGE_BYTES + context.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = VERSION;
  bytes[1] = TRANSITIONS.indexOf(transition);
  view.setUint32(2, changes.length, true);
  let at = HEADER_BYTES;
  for (const { kind, node } of changes) {
    if (!isNodeId(node)) throw new RaftError('ConfChangeInvalid', `${node} is no node id`);
    bytes[at] = KINDS.indexOf(kind);
    view.setUint32(at + 1, node % 2 ** 32, true);
    view.setUint32(at + 5, Math.floor(node / 2 ** 32), true);
    at += CHANGE_BYTES;
  }
  bytes.set(context, at);
  return bytes;
}

/** The change in an entry's data. Throws RaftError ConfChangeInvalid if it is malformed or of a newer version. */
export function decodeConfChange(bytes: Uint8Array): ConfChange {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < HEADER_BYTES || bytes[0] !== VERSION) throw malformed();
  const transition = TRANSITIONS[bytes[1]!];
  const count = view.getUint32(2, true);
  const contextAt = HEADER_BYTES + count * CHANGE_BYTES;
  if (transition === undefined || contextAt > bytes.length) throw malformed();
  const changes = [];
  for (let at = HEADER_BYTES; at < contextAt; at += CHANGE_BYTES) {
    const kind = KINDS[bytes[at]!];
    const node = view.getUint32(at + 1, true) + view.getUint32(at + 5, true) * 2 ** 32;
    if (kind === undefined || !isNodeId(node)) throw malformed();
    changes.push({ kind, node });
  }
  return { transition, changes, context: bytes.slice(contextAt) };
}

function malformed(): RaftError {
  return new RaftError(
    'ConfChangeInvalid',
    'the bytes are not a configuration change of version 1',
  );
}
