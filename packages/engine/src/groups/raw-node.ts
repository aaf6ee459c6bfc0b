// The Raft replica of a group, as this engine drives it: with asynchronous storage writes, and proposals by the
// leader's own host only.

import { RawNode, type Storage } from 'raft-ts';
import type { GroupHost } from './group-host.js';

/** A replica on `storage`, whose state machine is on disk up to `applied`. */
export function makeRawNode(host: GroupHost, storage: Storage, applied: number): RawNode {
  const { config, limits } = host;
  const { electionTicks, heartbeatTicks } = config.timing;
  return new RawNode({
    id: config.node,
    storage,
    applied,
    electionTicks,
    heartbeatTicks,
    random: (bound) => host.random() % bound,
    asyncStorageWrites: true,
    disableProposalForwarding: true,
    appendBytesMax: limits.appendBytesMax,
    applyingBytesMax: limits.appendBytesMax,
    uncommittedBytesMax: limits.uncommittedBytesMax,
    inflightMessagesMax: limits.inflightAppendsMax,
    inflightBytesMax: limits.inflightBytesMax,
  });
}
