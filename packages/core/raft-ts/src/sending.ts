// What a leader sends: appends, snapshots, heartbeats; and how its commit index moves (Raft §5.3, §5.4.2, §7).

import { assert } from './assert.js';
import type { Progress } from './progress.js';
import type { Replica } from './replica.js';
import { type Entry, entriesBytes, type NodeId } from './types.js';

/** Sends an append to every other node that may get one, be it empty. */
export function broadcastAppend(replica: Replica): void {
  forEachPeer(replica, (id, progress) => maybeSendAppend(replica, id, progress, { empty: true }));
}

/** Sends new entries to every other node that may get some. */
export function broadcastEntries(replica: Replica): void {
  forEachPeer(replica, (id, progress) => maybeSendAppend(replica, id, progress, { empty: false }));
}

/** Sends a heartbeat to every other node; it carries the latest round of reads (thesis §6.4). */
export function broadcastHeartbeat(replica: Replica): void {
  const { id: from, term, readRound } = replica;
  forEachPeer(replica, (to, progress) => {
    // CommitWithinReach: what the receiver may not have it must not commit (pitfall 5).
    const { match } = progress;
    const commit = Math.min(match, replica.log.committed);
    replica.send({ type: 'heartbeat', from, to, term, commit, match, readRound });
  });
}

/** Sends an append to one node, be it empty, unless it must wait. */
export function sendAppend(replica: Replica, to: NodeId, progress: Progress): void {
  maybeSendAppend(replica, to, progress, { empty: true });
}

/** Sends entries as long as there are any and the window takes them. */
export function fillWindow(replica: Replica, to: NodeId, progress: Progress): void {
  while (maybeSendAppend(replica, to, progress, { empty: false }));
}

/** Asks `to` to campaign now (thesis §3.10). */
export function sendTimeoutNow(replica: Replica, to: NodeId): void {
  replica.lease.giveUp();
  replica.send({ type: 'timeoutNow', from: replica.id, to, term: replica.term });
}

/**
 * OwnTermCommits: commits what a quorum holds, if it is of this term; entries of earlier terms are never committed
 * by counting (Raft §5.4.2). Returns whether the commit index moved.
 */
export function maybeCommit(replica: Replica): boolean {
  const index = replica.tracker.committed();
  return replica.log.maybeCommit({ term: replica.term, index });
}

/** Whether an append (or a snapshot in its place) was sent. `empty`: also one without entries. */
function maybeSendAppend(
  replica: Replica,
  to: NodeId,
  progress: Progress,
  options: { readonly empty: boolean },
): boolean {
  if (progress.isPaused) return false;
  const { log } = replica;
  const prevIndex = progress.next - 1;
  const prevTerm = log.term(prevIndex);
  const entries = entriesFor(replica, progress);
  if (prevTerm === undefined || entries === undefined) {
    return maybeSendSnapshot(replica, to, progress);
  }
  if (entries.length === 0 && !options.empty) return false;
  replica.send({
    type: 'append',
    from: replica.id,
    to,
    term: replica.term,
    prevIndex,
    prevTerm,
    entries,
    commit: log.committed,
    match: progress.match,
  });
  progress.sentEntries(entries.length, entriesBytes(entries));
  progress.sentCommit(log.committed);
  return true;
}

/**
 * What to send next; nothing into a full window, so that only empty appends keep it going. `undefined` if it
 * is compacted or cannot be read now.
 */
function entriesFor(replica: Replica, progress: Progress): readonly Entry[] | undefined {
  if (progress.state === 'replicate' && progress.inflights.full) return [];
  const { log, config } = replica;
  return log.slice(progress.next, log.lastIndex + 1, config.appendBytesMax);
}

/** A node that is not heard of gets no snapshot: it would be made in vain, and again and again. */
function maybeSendSnapshot(replica: Replica, to: NodeId, progress: Progress): boolean {
  if (!progress.recentActive) return false;
  // Entries that can only not be read at this moment are asked for again with the next answer.
  if (progress.next >= replica.log.firstIndex) return false;
  const snapshot = replica.log.snapshot();
  if (snapshot === undefined) return false;
  assert(snapshot.index + 1 >= replica.log.firstIndex, 'what is compacted is in the snapshot');
  replica.trace(`sends the snapshot at ${snapshot.index} to ${to}`);
  progress.becomeSnapshot(snapshot.index);
  replica.send({ type: 'snapshot', from: replica.id, to, term: replica.term, snapshot });
  return true;
}

function forEachPeer(replica: Replica, visit: (id: NodeId, progress: Progress) => void): void {
  for (const id of replica.tracker.nodes) {
    if (id !== replica.id) visit(id, replica.tracker.progress(id)!);
  }
}
