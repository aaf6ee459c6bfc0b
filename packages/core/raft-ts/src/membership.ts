// Configuration changes as they are applied (Raft §6, thesis §4): a committed change takes effect when the
// host applies its entry, on every replica alike.

import { changeConf } from './changer.js';
import { type ConfChange, encodeConfChange, LEAVE_JOINT } from './conf-change.js';
import { isRaftError } from './errors.js';
import { propose } from './proposals.js';
import type { Replica } from './replica.js';
import { broadcastAppend, broadcastEntries, maybeCommit } from './sending.js';
import { type ConfState, NONE } from './types.js';

/** Applies a committed change. Throws RaftError ConfChangeInvalid if it does not fit the configuration. */
export function applyConfChange(replica: Replica, change: ConfChange): ConfState {
  const conf = changeConf(replica.tracker.conf, change);
  replica.tracker.configure(conf, Math.max(replica.log.lastIndex, 1));
  replica.trace(`applies a configuration: voters ${conf.voters.join(' ')}`);
  if (replica.role === 'leader') leadOn(replica);
  return conf;
}

/** Once a joint configuration is applied its leader proposes to leave it, if it is to be left by itself. */
export function maybeLeaveJoint(replica: Replica): void {
  const { tracker, log, role, pendingConfIndex } = replica;
  if (role !== 'leader' || !tracker.conf.autoLeave || log.applied < pendingConfIndex) return;
  try {
    propose(replica, [{ type: 'confChange', data: encodeConfChange(LEAVE_JOINT) }]);
  } catch (thrown) {
    // A transfer, or its own removal, refuses it now; the next applied entry or leader tries again.
    if (!isRaftError(thrown, 'ProposalDropped')) throw thrown;
  }
}

function leadOn(replica: Replica): void {
  const { tracker, config } = replica;
  if (!replica.isVoter) {
    // Removed or demoted. It may lead on until the change is known to others (Raft §6), or step down now.
    if (config.stepDownOnRemoval) replica.becomeFollower(replica.term, NONE);
    return;
  }
  // A smaller quorum may have what the larger one lacked.
  if (maybeCommit(replica)) broadcastAppend(replica);
  else broadcastEntries(replica);
  const { leadTransferee } = replica;
  if (leadTransferee !== NONE && !tracker.voterIds.includes(leadTransferee)) {
    replica.leadTransferee = NONE;
  }
}
