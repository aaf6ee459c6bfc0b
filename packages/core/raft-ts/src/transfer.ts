// Moving the leadership on purpose (thesis §3.10): the leader takes no proposals, brings the target up to
// date, and has it campaign at once. If it has not worked within an election timeout the leader goes on.

import type { Replica } from './replica.js';
import { sendAppend, sendTimeoutNow } from './sending.js';
import { NONE, type NodeId } from './types.js';

/** Begins to move the leadership to `transferee`; a follower passes the request on. */
export function transferLeader(replica: Replica, transferee: NodeId): void {
  if (replica.role === 'leader') {
    transferAsLeader(replica, transferee);
  } else if (replica.lead !== NONE) {
    const { id: from, lead: to, term } = replica;
    replica.send({ type: 'transferLeader', from, to, term, transferee });
  }
}

/** A tick has passed: what has not worked within an election timeout never will (pitfall 11). */
export function tickTransfer(replica: Replica): void {
  if (replica.leadTransferee === NONE) return;
  replica.transferElapsed++;
  if (replica.transferElapsed < replica.config.electionTicks) return;
  replica.trace(`gives up handing over to ${replica.leadTransferee}`);
  replica.leadTransferee = NONE;
}

function transferAsLeader(replica: Replica, transferee: NodeId): void {
  const progress = replica.tracker.progress(transferee);
  if (progress === undefined || progress.isLearner || progress.damaged) {
    replica.trace(`does not hand over to ${transferee}: it is no whole voter`);
    return;
  }
  if (replica.leadTransferee === transferee) return;
  // A newer request replaces the one before; one to itself only ends it.
  replica.leadTransferee = NONE;
  if (transferee === replica.id) return;
  replica.leadTransferee = transferee;
  replica.transferElapsed = 0;
  replica.trace(`hands over to ${transferee}`);
  if (progress.match === replica.log.lastIndex) {
    sendTimeoutNow(replica, transferee);
  } else {
    progress.paused = false;
    sendAppend(replica, transferee, progress);
  }
}
