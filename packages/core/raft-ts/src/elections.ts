// Elections (Raft §5.2, §5.4.1: ElectionSafety, LeaderCompleteness), pre-votes (thesis §9.6) and what asks for
// them: timeouts and transfers.

import { assert } from './assert.js';
import type { KnownCommit, VoteMessage, VoteResponseMessage } from './message.js';
import { appendOwn } from './proposals.js';
import type { Replica } from './replica.js';
import { broadcastAppend } from './sending.js';
import { NONE } from './types.js';

const NO_DATA = new Uint8Array(0);

/** Why a campaign begins. A transfer skips the pre-vote and the leases of the others (thesis §3.10). */
export type CampaignReason = 'timeout' | 'transfer';

/** Begins an election unless this replica may not win one. */
export function campaign(replica: Replica, reason: CampaignReason): void {
  if (replica.role === 'leader') return;
  if (!replica.promotable) {
    replica.trace('is not promotable and does not campaign');
    return;
  }
  if (reason === 'timeout' && replica.config.readOnly === 'lease' && inLease(replica)) {
    replica.trace('does not campaign while it is bound to a leader');
    return;
  }
  if (mustApplyFirst(replica)) {
    replica.trace('does not campaign before a configuration change is applied');
    return;
  }
  if (reason === 'timeout' && replica.config.preVote) requestVotes(replica, 'preVote', reason);
  else requestVotes(replica, 'vote', reason);
}

/** Another replica asks for a vote or a pre-vote, at a term that is not below ours. */
export function handleVoteRequest(replica: Replica, message: VoteMessage): void {
  const { from, term } = message;
  learnCommit(replica, message.commit);
  // OneVoteATerm: for who has it already, or for anybody if nobody has it and no leader is known. Pre-votes are
  // no votes yet.
  const canVote =
    replica.vote === from ||
    (replica.vote === NONE && replica.lead === NONE) ||
    (message.type === 'preVote' && term > replica.term);
  const upToDate = replica.log.isUpToDate({ term: message.lastTerm, index: message.lastIndex });
  // Learners answer too: the candidate may know a newer configuration, in which they vote (pitfall 13).
  const granted = canVote && upToDate;
  if (granted && message.type === 'vote') {
    replica.electionElapsed = 0;
    replica.vote = from;
  }
  replica.trace(`${granted ? 'grants' : 'rejects'} the ${message.type} of ${from}`);
  answerVote(replica, message, granted);
}

/** A pre-vote for a term that has passed: whoever asks learns of the present one (contract 7). */
export function rejectVote(replica: Replica, message: VoteMessage): void {
  answerVote(replica, message, false);
}

/** An answer to our request, this replica's own included. */
export function handleVoteResponse(replica: Replica, message: VoteResponseMessage): void {
  const asked = replica.role === 'preCandidate' ? 'preVoteResponse' : 'voteResponse';
  if (message.type !== asked) return;
  if (learnCommit(replica, message.commit)) return;
  replica.tracker.recordVote(message.from, !message.reject);
  const result = replica.tracker.voteResult();
  if (result === 'lost') replica.becomeFollower(replica.term, NONE);
  if (result !== 'won') return;
  if (replica.role === 'preCandidate') requestVotes(replica, 'vote', 'timeout');
  else takeLeadership(replica);
}

/** Counts who was heard of; a leader that a quorum does not hear steps down (thesis §6.2). */
export function checkQuorum(replica: Replica): void {
  assert(replica.role === 'leader', 'only a leader checks its quorum');
  if (replica.tracker.checkQuorumActive(replica.id)) return;
  replica.trace('has no quorum any more');
  replica.becomeFollower(replica.term, NONE);
}

/** Whether a live leader was heard of so recently that elections are refused (thesis §4.2.3, §6.4.1). */
export function inLease(replica: Replica): boolean {
  const { checkQuorum, electionTicks, readOnly } = replica.config;
  if (replica.role === 'leader') return checkQuorum;
  // Reads by lease rest on it, so it holds whatever became of that leader since.
  if (readOnly === 'lease') return replica.ticks - replica.leaderHeardAt < electionTicks;
  return checkQuorum && replica.lead !== NONE && replica.electionElapsed < electionTicks;
}

/**
 * Commits what another replica knows to be committed, if this log has it. Without a leader nobody else would
 * say so, and those that are left of a configuration might wait for one that has left it. Returns whether a
 * candidacy ended with it: a change of the configuration is to be applied first.
 */
export function learnCommit(replica: Replica, commit: KnownCommit | undefined): boolean {
  if (commit === undefined || replica.role === 'leader') return false;
  if (!replica.log.maybeCommit(commit)) return false;
  replica.trace(`learns of a vote that ${commit.index} is committed`);
  if (replica.role === 'follower' || !mustApplyFirst(replica)) return false;
  replica.becomeFollower(replica.term, NONE);
  return true;
}

/** AppliedBeforeCampaign: with a committed change unapplied it would go by an old configuration (pitfall 12). */
function mustApplyFirst(replica: Replica): boolean {
  return replica.log.someUnapplied((entry) => entry.type === 'confChange');
}

function answerVote(replica: Replica, message: VoteMessage, granted: boolean): void {
  replica.sendDurably({
    type: message.type === 'vote' ? 'voteResponse' : 'preVoteResponse',
    from: replica.id,
    to: message.from,
    // A granted pre-vote bears the term asked for; ours has not changed (contract 6).
    term: granted ? message.term : replica.term,
    reject: !granted,
    commit: replica.log.committedId(),
  });
}

function requestVotes(replica: Replica, type: VoteMessage['type'], reason: CampaignReason): void {
  if (type === 'preVote') replica.becomePreCandidate();
  else replica.becomeCandidate();
  const { id: from, log } = replica;
  const term = type === 'preVote' ? replica.term + 1 : replica.term;
  const last = { lastIndex: log.lastIndex, lastTerm: log.lastId().term };
  const commit = log.committedId();
  const transfer = reason === 'transfer';
  for (const to of replica.tracker.voterIds) {
    if (to === replica.id) {
      // Its own vote counts like every other, once it is durable (pitfall 26).
      const response = type === 'vote' ? 'voteResponse' : 'preVoteResponse';
      replica.sendDurably({ type: response, from: to, to, term, reject: false, commit });
    } else if (type === 'vote') {
      // Nor is it asked for before (Raft Figure 2): a crash would forget the term, and with which log it was.
      replica.sendDurably({ type, from, to, term, ...last, transfer, commit });
    } else {
      replica.send({ type, from, to, term, ...last, transfer, commit });
    }
  }
}

/** The first entry of a term commits what came before it (Raft §8). */
function takeLeadership(replica: Replica): void {
  replica.becomeLeader();
  appendOwn(replica, [{ type: 'normal', data: NO_DATA }]);
  broadcastAppend(replica);
}
