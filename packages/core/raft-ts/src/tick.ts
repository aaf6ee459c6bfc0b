// The passing of time: election timeouts, heartbeats, and the leader's check of its quorum.

import { campaign, checkQuorum } from './elections.js';
import type { Replica } from './replica.js';
import { broadcastHeartbeat } from './sending.js';
import { NONE } from './types.js';

/** One tick has passed. */
export function tick(replica: Replica): void {
  if (replica.role === 'leader') tickLeader(replica);
  else tickFollower(replica);
}

function tickFollower(replica: Replica): void {
  replica.electionElapsed++;
  if (!replica.promotable || replica.electionElapsed < replica.electionTimeout) return;
  replica.electionElapsed = 0;
  campaign(replica, 'timeout');
}

function tickLeader(replica: Replica): void {
  const { config } = replica;
  replica.electionElapsed++;
  replica.heartbeatElapsed++;
  if (replica.electionElapsed >= config.electionTicks) {
    replica.electionElapsed = 0;
    if (config.checkQuorum) checkQuorum(replica);
    // A transfer that has not worked by now never will: take proposals again (pitfall 11).
    replica.leadTransferee = NONE;
    if (replica.role !== 'leader') return;
  }
  if (replica.heartbeatElapsed < config.heartbeatTicks) return;
  replica.heartbeatElapsed = 0;
  broadcastHeartbeat(replica);
}
