// Linearizable reads without log entries (Raft §8, thesis §6.4). A read is good at the leader's commit index
// of the moment it came, once a quorum has confirmed that the leader still led after that. Each read belongs to
// a round, numbered within the term; heartbeats carry the latest round, and an answer to a round confirms every
// earlier one too, so that a lost or repeated answer never confirms a read that came after it
// (ReadsSeeTheirPast).

import type { PostponedRead, Replica } from './replica.js';
import { broadcastHeartbeat } from './sending.js';
import { NONE, type NodeId } from './types.js';

/** Asks for an index to read at; the answer comes as a ReadState. Without a leader nothing ever comes. */
export function requestRead(replica: Replica, context: Uint8Array): void {
  if (replica.role === 'leader') {
    handleReadIndex(replica, replica.id, context);
  } else if (replica.lead !== NONE) {
    replica.send({ type: 'readIndex', from: replica.id, to: replica.lead, term: 0, context });
  }
}

/** A read of `from` has come to the leader. */
export function handleReadIndex(replica: Replica, from: NodeId, context: Uint8Array): void {
  const { postponedReads, config } = replica;
  // Dropped like a lost message: whoever wants to know asks again (pitfall 19).
  if (waitingReads(replica) >= config.pendingReadsMax) return;
  // Before its first commit in the term it does not know what is committed (pitfall 4).
  if (replica.committedInTerm) beginReads(replica, [{ from, context }]);
  else postponedReads.push({ from, context });
}

/** How many reads wait at the leader. */
export function waitingReads({ pendingReads, postponedReads }: Replica): number {
  return pendingReads.length + postponedReads.length;
}

/** The leader has committed for the first time in its term: reads that waited for it begin now. */
export function releasePostponedReads(replica: Replica): void {
  if (replica.postponedReads.length === 0 || !replica.committedInTerm) return;
  const reads = replica.postponedReads;
  replica.postponedReads = [];
  beginReads(replica, reads);
}

/** Answers the reads that a quorum has confirmed by now. */
export function releaseConfirmedReads(replica: Replica): void {
  const confirmed = replica.tracker.confirmedReadRound();
  replica.lease.confirmed(confirmed);
  if (replica.pendingReads.length === 0) return;
  const waiting = replica.pendingReads.findIndex((read) => read.round > confirmed);
  const count = waiting < 0 ? replica.pendingReads.length : waiting;
  for (const { from, index, context } of replica.pendingReads.splice(0, count)) {
    answer(replica, from, index, context);
  }
}

/** Reads that came together share a round. */
function beginReads(replica: Replica, reads: readonly PostponedRead[]): void {
  const index = replica.log.committed;
  if (needsNoRound(replica)) {
    for (const { from, context } of reads) answer(replica, from, index, context);
    return;
  }
  const round = replica.beginRound();
  for (const { from, context } of reads) replica.pendingReads.push({ from, context, index, round });
  broadcastHeartbeat(replica);
}

/** Whether nobody else can lead at this moment: the only voter, or the holder of a lease. */
function needsNoRound(replica: Replica): boolean {
  return (replica.tracker.isSingleton && replica.isVoter) || replica.lease.holds(replica.ticks);
}

function answer(replica: Replica, from: NodeId, index: number, context: Uint8Array): void {
  const { id, term } = replica;
  if (from === id) replica.readStates.push({ index, context });
  else replica.send({ type: 'readIndexResponse', from: id, to: from, term, index, context });
}
