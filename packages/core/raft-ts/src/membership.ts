// Configuration changes as they are applied (Raft §6, thesis §4): a committed change takes effect when the
// host applies its entry, on every replica alike. Also how a joint configuration is left by itself.

import { changeConf } from './changer.js';
import { type ConfChange, encodeConfChange, LEAVE_JOINT } from './conf-change.js';
import { isRaftError } from './errors.js';
import { commitAndTell } from './leading.js';
import { propose } from './proposals.js';
import { releaseConfirmedReads } from './reads.js';
import type { Replica } from './replica.js';
import { broadcastEntries } from './sending.js';
import { type ConfState, NONE } from './types.js';

/** Applies a committed change. Throws RaftError ConfChangeInvalid if it does not fit the configuration. */
export function applyConfChange(replica: Replica, change: ConfChange): ConfState {
  if (replica.appliedConf !== undefined) {
    // This replica goes by the configuration of a snapshot already, which the change is part of; the host
    // has yet to get there.
    replica.appliedConf = changeConf(replica.appliedConf, change);
    return replica.appliedConf;
  }
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
    // A transfer, a full log or its own removal refuses it now: tried again with every applied entry and
    // every election timeout.
    if (!isRaftError(thrown, 'ProposalDropped')) throw thrown;
  }
}

function leadOn(replica: Replica): void {
  if (!replica.isVoter && replica.config.stepDownOnRemoval) {
    // Removed or demoted: it steps down, or leads on without counting itself (Raft §6).
    replica.becomeFollower(replica.term, NONE);
    return;
  }
  replica.lease.drop();
  if (!replica.tracker.voterIds.includes(replica.leadTransferee)) replica.leadTransferee = NONE;
  // A smaller quorum may have what the larger one lacked, of entries and of reads.
  if (!commitAndTell(replica)) broadcastEntries(replica);
  releaseConfirmedReads(replica);
}
