// Moving the leadership on purpose (thesis §3.10): the leader takes no proposals, brings the target up to
// date, and has it campaign at once. If it has not worked within an election timeout the leader goes on. A leader
// that cannot go on gives the leadership up, whether somebody takes it or not.

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

/**
 * A leader that can do nothing more for its group follows from here on. The voter that has most of the log is
 * asked to campaign; if it does not, or there is none, the others miss the heartbeats soon.
 */
export function resign(replica: Replica): void {
  if (replica.role !== 'leader') return;
  const heir = heirOf(replica);
  replica.trace(heir === undefined ? 'resigns' : `resigns in favour of ${heir}`);
  if (heir !== undefined) sendTimeoutNow(replica, heir);
  replica.becomeFollower(replica.term, NONE);
}

function heirOf({ id: self, tracker }: Replica): NodeId | undefined {
  let heir: NodeId | undefined;
  let most = -1;
  for (const id of tracker.nodes) {
    const { isLearner, damaged, recentActive, match } = tracker.progress(id)!;
    if (id === self || isLearner || damaged || !recentActive || match <= most) continue;
    heir = id;
    most = match;
  }
  return heir;
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
