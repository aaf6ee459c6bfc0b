// The Raft replica of a group, as this engine drives it: with asynchronous storage writes, proposals by the leader's
// own host only, and election timeouts in an order (placement/election-order.ts).

import { RawNode } from 'raft-ts';
import { preferredLeader } from '../placement/balancer.js';
import { electionDelay } from '../placement/election-order.js';
import type { NodeId } from '../ports.js';
import type { GroupHost } from './group-host.js';
import type { GroupStorage } from './group-storage.js';

export interface RawNodeOptions {
  readonly group: number;
  readonly host: GroupHost;
  readonly storage: GroupStorage;
  /** Up to where the state machine is on disk. */
  readonly applied: number;
  /** Who led the group last, as far as this node knows; 0: unknown. */
  readonly lastLead: () => NodeId;
}

export function makeRawNode({ group, host, storage, applied, lastLead }: RawNodeOptions): RawNode {
  const { config, limits } = host;
  const { electionTicks, heartbeatTicks } = config.timing;
  return new RawNode({
    id: config.node,
    storage: storage.log,
    applied,
    electionTicks,
    heartbeatTicks,
    random: (span) => {
      const { voters } = storage.state.confState;
      const preferred = preferredLeader({ id: group, voters }, host.wantedLeader(group));
      const voter = { group, self: config.node, voters, preferred, lastLead: lastLead() };
      return electionDelay(voter, span, host.random() / 2 ** 32);
    },
    asyncStorageWrites: true,
    disableProposalForwarding: true,
    appendBytesMax: limits.appendBytesMax,
    applyingBytesMax: limits.applyBytesMax,
    uncommittedBytesMax: limits.uncommittedBytesMax,
    inflightMessagesMax: limits.inflightAppendsMax,
    inflightBytesMax: limits.inflightBytesMax,
  });
}
