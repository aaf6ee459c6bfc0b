// A second, plain reckoning of quorums, to hold Raft's own against.

import type { NodeId } from '@deltabase/engine';
import type { ConfState } from 'raft-ts';

/** A majority of the voters, and while two configurations are joint of both (Raft §6). */
export function hasQuorum(conf: ConfState, has: (id: NodeId) => boolean): boolean {
  return [conf.voters, conf.votersOutgoing].every(
    (voters) => voters.length === 0 || 2 * voters.filter(has).length > voters.length,
  );
}
