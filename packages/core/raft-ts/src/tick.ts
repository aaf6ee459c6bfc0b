// The passing of time: election timeouts, heartbeats, and the leader's check of its quorum.

import { campaign, checkQuorum } from './elections.js';
import { maybeLeaveJoint } from './membership.js';
import type { Replica } from './replica.js';
import { broadcastHeartbeat } from './sending.js';
import { tickTransfer } from './transfer.js';
import { NONE } from './types.js';

/** One tick has passed. */
export function tick(replica: Replica): void {
  replica.ticks++;
  replica.log.retryReads();
  if (replica.role === 'leader') tickLeader(replica);
  else tickFollower(replica);
}

function tickFollower(replica: Replica): void {
  replica.electionElapsed++;
  if (!replica.promotable || replica.electionElapsed < replica.electionTimeout) return;
  replica.electionElapsed = 0;
  // Its leader is given up even if it may not campaign now, so that it votes for those who may.
  replica.lead = NONE;
  campaign(replica, 'timeout');
}

function tickLeader(replica: Replica): void {
  tickTransfer(replica);
  replica.electionElapsed++;
  if (replica.electionElapsed >= replica.config.electionTicks) {
    replica.electionElapsed = 0;
    if (replica.config.checkQuorum) checkQuorum(replica);
    if (replica.role !== 'leader') return;
    maybeLeaveJoint(replica);
  }
  replica.heartbeatElapsed++;
  if (replica.heartbeatElapsed < replica.config.heartbeatTicks) return;
  replica.heartbeatElapsed = 0;
  if (replica.config.readOnly === 'lease') replica.beginRound();
  broadcastHeartbeat(replica);
}
