// Linearizable reads without log entries (Raft §8, thesis §6.4). A read is good at the leader's commit index
// of the moment it came, once a quorum has confirmed that the leader still led after that. Each read gets a
// round, numbered within the term; heartbeats carry the latest round, and an answer to a round confirms every
// earlier one too, so that a lost or repeated answer never confirms a read that came after it.

import type { Replica } from './replica.js';
import { broadcastHeartbeat } from './sending.js';
import { NONE, type NodeId } from './types.js';

/** Asks for an index to read at; the answer comes as a ReadState. Without a leader nothing ever comes. */
export function requestRead(replica: Replica, context: Uint8Array): void {
  if (replica.role === 'leader') {
    handleReadIndex(replica, replica.id, context);
  } else if (replica.lead !== NONE) {
    replica.sendInTerm({ type: 'readIndex', to: replica.lead, context }, 0);
  }
}

/** A read of `from` has come to the leader. */
export function handleReadIndex(replica: Replica, from: NodeId, context: Uint8Array): void {
  if (!replica.committedInTerm) {
    // It does not know yet what is committed (pitfall 4).
    replica.postponedReads.push({ from, context });
  } else if (replica.tracker.isSingleton && replica.isVoter) {
    answer(replica, from, replica.log.committed, context);
  } else if (replica.config.readOnly === 'lease') {
    answer(replica, from, replica.log.committed, context);
  } else {
    replica.readRound++;
    replica.pendingReads.push({
      from,
      context,
      index: replica.log.committed,
      round: replica.readRound,
    });
    const self = replica.tracker.progress(replica.id);
    if (self !== undefined) self.readRound = replica.readRound;
    broadcastHeartbeat(replica);
  }
}

/** The leader has committed for the first time in its term: reads that waited for it begin now. */
export function releasePostponedReads(replica: Replica): void {
  if (replica.postponedReads.length === 0 || !replica.committedInTerm) return;
  const reads = replica.postponedReads;
  replica.postponedReads = [];
  for (const { from, context } of reads) handleReadIndex(replica, from, context);
}

/** Answers the reads that a quorum has confirmed by now. */
export function releaseConfirmedReads(replica: Replica): void {
  if (replica.pendingReads.length === 0) return;
  const confirmed = replica.tracker.confirmedReadRound();
  const waiting = replica.pendingReads.findIndex((read) => read.round > confirmed);
  const count = waiting < 0 ? replica.pendingReads.length : waiting;
  for (const { from, index, context } of replica.pendingReads.splice(0, count)) {
    answer(replica, from, index, context);
  }
}

function answer(replica: Replica, from: NodeId, index: number, context: Uint8Array): void {
  if (from === replica.id) replica.readStates.push({ index, context });
  else replica.send({ type: 'readIndexResponse', to: from, index, context });
}
