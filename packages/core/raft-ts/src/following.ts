// What a follower does with what its leader sends: appends, heartbeats, snapshots (Raft §5.3, §7).

import type { AppendMessage, HeartbeatMessage, SnapshotMessage } from './message.js';
import type { Replica } from './replica.js';
import type { NodeId, Snapshot } from './types.js';

export function handleAppend(replica: Replica, message: AppendMessage): void {
  const { from, prevIndex, prevTerm, entries, commit } = message;
  const { log } = replica;
  if (hasLost(replica, from, message.match)) return;
  if (prevIndex < log.committed) {
    // Older than what is known to agree: say how far that is (pitfall 3).
    acknowledge(replica, from, log.committed);
    return;
  }
  const last = log.maybeAppend({ index: prevIndex, term: prevTerm }, entries, commit);
  if (last !== undefined) {
    acknowledge(replica, from, last);
    return;
  }
  const hint = log.findConflictByTerm(Math.min(prevIndex, log.lastIndex), prevTerm);
  replica.sendDurably({
    type: 'appendResponse',
    from: replica.id,
    to: from,
    term: replica.term,
    index: prevIndex,
    reject: true,
    hintIndex: hint.index,
    hintTerm: hint.term,
  });
}

export function handleHeartbeat(replica: Replica, message: HeartbeatMessage): void {
  const { from, commit, match, readRound } = message;
  if (hasLost(replica, from, match)) return;
  replica.log.commitTo(commit);
  respondToHeartbeat(replica, from, { readRound, damaged: false });
}

export function handleSnapshot(replica: Replica, message: SnapshotMessage): void {
  const { snapshot, from } = message;
  if (restore(replica, snapshot)) acknowledge(replica, from, replica.log.lastIndex);
  else acknowledge(replica, from, replica.log.committed);
}

/** Tells a leader of the present term, or one that is behind, how far this log agrees with its own. */
export function acknowledge(replica: Replica, to: NodeId, index: number): void {
  replica.sendDurably({
    type: 'appendResponse',
    from: replica.id,
    to,
    term: replica.term,
    index,
    reject: false,
    hintIndex: 0,
    hintTerm: 0,
  });
}

function respondToHeartbeat(
  replica: Replica,
  to: NodeId,
  { readRound, damaged }: { readonly readRound: number; readonly damaged: boolean },
): void {
  const { id: from, term } = replica;
  replica.send({ type: 'heartbeatResponse', from, to, term, readRound, damaged });
}

/**
 * DamageIsTold: whether the leader of this term knows this replica to hold more than it does. It has
 * acknowledged entries and lost them, so its votes and acknowledgements are worth nothing (pitfalls 7 and 17): it
 * takes no more part, says so, and must be replaced. The leader's knowledge is of its own term, in which a
 * follower's log only grows, so neither delay nor order of messages can raise a false alarm.
 */
function hasLost(replica: Replica, leader: NodeId, match: number): boolean {
  if (!replica.damaged && match <= replica.log.lastIndex) return false;
  if (!replica.damaged) {
    replica.trace(`is damaged: it acknowledged ${match} and has ${replica.log.lastIndex}`);
  }
  replica.damaged = true;
  respondToHeartbeat(replica, leader, { readRound: 0, damaged: true });
  return true;
}

/**
 * Starts over behind a snapshot. Returns false if that would gain nothing. Its configuration may be without
 * this replica: one from before it was added is followed by the entry that adds it.
 */
function restore(replica: Replica, snapshot: Snapshot): boolean {
  const { log, tracker } = replica;
  if (snapshot.index <= log.committed || replica.damaged) return false;
  if (log.matchTerm(snapshot)) {
    // The log has it all: only the commit index was behind.
    log.commitTo(snapshot.index);
    return false;
  }
  log.restore(snapshot);
  replica.appliedConf ??= tracker.conf;
  tracker.configure(snapshot.confState, log.lastIndex);
  replica.trace(`restores the snapshot at ${snapshot.index}`);
  return true;
}
