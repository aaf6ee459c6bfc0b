// What a leader learns from the answers of the others (Raft §5.3), and reports of its host about them.

import { assert } from './assert.js';
import { RaftError } from './errors.js';
import type { AppendResponseMessage, HeartbeatResponseMessage } from './message.js';
import type { Progress } from './progress.js';
import { releaseConfirmedReads, releasePostponedReads } from './reads.js';
import type { Replica } from './replica.js';
import { broadcastAppend, fillWindow, maybeCommit, sendAppend, sendTimeoutNow } from './sending.js';
import type { NodeId } from './types.js';

export function handleAppendResponse(replica: Replica, message: AppendResponseMessage): void {
  const { from } = message;
  const progress = replica.tracker.progress(from);
  if (progress === undefined || progress.damaged) return;
  progress.recentActive = true;
  if (message.reject) handleRejection(replica, progress, message);
  else handleAcknowledgement(replica, progress, message);
}

export function handleHeartbeatResponse(replica: Replica, message: HeartbeatResponseMessage): void {
  const { from, readRound } = message;
  const progress = replica.tracker.progress(from);
  if (progress === undefined || progress.damaged) return;
  if (message.damaged) {
    progress.damaged = true;
    replica.trace(`node ${from} has lost entries that it acknowledged: it must be replaced`);
    return;
  }
  progress.recentActive = true;
  progress.paused = false;
  if (progress.match < replica.log.lastIndex || progress.state === 'probe') {
    sendAppend(replica, from, progress);
  }
  if (readRound > progress.readRound) {
    progress.readRound = readRound;
    releaseConfirmedReads(replica);
  }
}

/** Commits what a quorum holds by now, and lets the others know (contract 9). Returns whether it did. */
export function commitAndTell(replica: Replica): boolean {
  if (!maybeCommit(replica)) return false;
  releasePostponedReads(replica);
  broadcastAppend(replica);
  return true;
}

/** The host could not deliver to `id`: entries in the pipeline may be lost. */
export function reportUnreachable(replica: Replica, id: NodeId): void {
  const progress = leaderProgress(replica, id);
  if (progress?.state === 'replicate') progress.becomeProbe();
}

/** The snapshot for `id` was delivered, or not; either way appends are tried again when it is heard of. */
export function reportSnapshot(replica: Replica, id: NodeId, delivered: boolean): void {
  const progress = leaderProgress(replica, id);
  if (progress?.state !== 'snapshot') return;
  if (!delivered) progress.pendingSnapshot = 0;
  progress.becomeProbe();
  progress.paused = true;
}

function leaderProgress(replica: Replica, id: NodeId): Progress | undefined {
  const progress = replica.tracker.progress(id);
  if (progress === undefined) throw new RaftError('PeerNotFound', `node ${id} is not a member`);
  return replica.role === 'leader' ? progress : undefined;
}

function handleRejection(
  replica: Replica,
  progress: Progress,
  message: AppendResponseMessage,
): void {
  const { hintIndex, hintTerm } = message;
  // Whole terms that cannot agree are skipped at once, by both sides (Raft §5.3, end).
  const hint = hintTerm > 0 ? replica.log.findConflictByTerm(hintIndex, hintTerm).index : hintIndex;
  if (!progress.maybeDecrease(message.index, hint)) return;
  if (progress.state === 'replicate') progress.becomeProbe();
  sendAppend(replica, message.from, progress);
}

function handleAcknowledgement(
  replica: Replica,
  progress: Progress,
  { from, index }: AppendResponseMessage,
): void {
  assert(index <= replica.log.lastIndex, 'no follower agrees with more than the leader has');
  const isNews = progress.maybeUpdate(index);
  if (!isNews && !(progress.match === index && progress.state === 'probe')) return;
  advanceState(replica, progress, index);
  if (
    !commitAndTell(replica) &&
    from !== replica.id &&
    progress.canBumpCommit(replica.log.committed)
  ) {
    sendAppend(replica, from, progress);
  }
  if (from === replica.id) return;
  fillWindow(replica, from, progress);
  if (from === replica.leadTransferee && progress.match === replica.log.lastIndex) {
    sendTimeoutNow(replica, from);
  }
}

function advanceState(replica: Replica, progress: Progress, index: number): void {
  if (progress.state === 'probe') {
    progress.becomeReplicate();
  } else if (progress.state === 'replicate') {
    progress.inflights.freeTo(index);
  } else if (progress.match + 1 >= replica.log.firstIndex) {
    // Whatever reconnected the logs, the snapshot is not needed any more (contract 11).
    progress.becomeProbe();
    progress.becomeReplicate();
  }
}
