// The one way in for messages from other replicas: first the rules about terms (Raft §5.1), then what each
// kind of message means to the role at hand.

import {
  campaign,
  handleVoteRequest,
  handleVoteResponse,
  inLease,
  learnCommit,
  rejectVote,
} from './elections.js';
import { isRaftError } from './errors.js';
import { acknowledge, handleAppend, handleHeartbeat, handleSnapshot } from './following.js';
import { handleAppendResponse, handleHeartbeatResponse } from './leading.js';
import type { Message, ProposeMessage, VoteMessage, VoteResponseMessage } from './message.js';
import { propose } from './proposals.js';
import { handleReadIndex } from './reads.js';
import type { Replica } from './replica.js';
import { transferLeader } from './transfer.js';
import { NONE, type NodeId } from './types.js';

/** Takes a message from another replica. Messages that make no sense any more are ignored. */
export function step(replica: Replica, message: Message): void {
  if (replica.damaged && message.type !== 'append' && message.type !== 'heartbeat') return;
  if (message.term > replica.term) {
    if (!enterTerm(replica, message)) return;
  } else if (message.term < replica.term && !hasNoTerm(message)) {
    answerOldTerm(replica, message);
    return;
  }
  dispatch(replica, message);
}

/** Requests to the leader, whoever it is and whatever the term. */
function hasNoTerm({ type, term }: Message): boolean {
  return term === 0 && (type === 'propose' || type === 'readIndex');
}

/** A message of a later term. Returns whether it is to be handled at all. */
function enterTerm(replica: Replica, message: Message): boolean {
  switch (message.type) {
    case 'vote':
    case 'preVote':
      if (!message.transfer && inLease(replica)) {
        replica.trace(`ignores the ${message.type} of ${message.from}: its leader is alive`);
        return false;
      }
      if (message.type === 'vote') replica.becomeFollower(message.term, NONE);
      return true;
    case 'preVoteResponse':
      // A grant bears the term we asked for; only a rejection tells of a term that exists.
      if (message.reject) replica.becomeFollower(message.term, NONE);
      return true;
    case 'append':
    case 'heartbeat':
    case 'snapshot':
      replica.becomeFollower(message.term, message.from);
      return true;
    default:
      replica.becomeFollower(message.term, NONE);
      return true;
  }
}

/** A message of an earlier term is not handled, but whoever sent it may need to know. */
function answerOldTerm(replica: Replica, message: Message): void {
  if (message.type === 'append' || message.type === 'heartbeat') {
    // A leader whose followers take it for outdated learns of the newer term and steps down (Raft §5.1). That
    // term may never come to it in another way: with leases nobody campaigns against it, and who does may not
    // know that it is a member (contract 7).
    acknowledge(replica, message.from, 0);
  } else if (message.type === 'preVote') {
    rejectVote(replica, message as VoteMessage);
  } else if (message.type === 'preVoteResponse') {
    // Who refuses a pre-vote bears its own term, which may be an old one; what it knows is true all the same.
    learnCommit(replica, message.commit);
  }
}

function dispatch(replica: Replica, message: Message): void {
  switch (message.type) {
    case 'vote':
    case 'preVote':
      handleVoteRequest(replica, message as VoteMessage);
      break;
    case 'voteResponse':
    case 'preVoteResponse':
      if (isCandidate(replica)) handleVoteResponse(replica, message as VoteResponseMessage);
      break;
    case 'append':
      if (follow(replica, message.from)) handleAppend(replica, message);
      break;
    case 'heartbeat':
      if (follow(replica, message.from)) handleHeartbeat(replica, message);
      break;
    case 'snapshot':
      if (follow(replica, message.from)) handleSnapshot(replica, message);
      break;
    case 'appendResponse':
      if (replica.role === 'leader') handleAppendResponse(replica, message);
      break;
    case 'heartbeatResponse':
      if (replica.role === 'leader') handleHeartbeatResponse(replica, message);
      break;
    case 'timeoutNow':
      // Only a follower is asked; whoever campaigns already needs no asking.
      if (replica.role === 'follower') campaign(replica, 'transfer');
      break;
    case 'transferLeader':
      transferLeader(replica, message.transferee);
      break;
    case 'propose':
      takeForwarded(replica, message);
      break;
    case 'readIndex':
      if (replica.role === 'leader') handleReadIndex(replica, message.from, message.context);
      break;
    case 'readIndexResponse':
      if (replica.role === 'follower') {
        replica.readStates.push({ index: message.index, context: message.context });
      }
  }
}

/**
 * The sender leads this term: follow it. False if this replica leads the term itself, which cannot be; no append
 * may touch its log (LeaderAppendOnly).
 */
function follow(replica: Replica, leader: NodeId): boolean {
  if (replica.role === 'leader') return false;
  if (isCandidate(replica)) replica.becomeFollower(replica.term, leader);
  replica.electionElapsed = 0;
  replica.leaderHeardAt = replica.ticks;
  replica.lead = leader;
  return true;
}

function isCandidate(replica: Replica): boolean {
  return replica.role === 'candidate' || replica.role === 'preCandidate';
}

/** A proposal that a follower passed on; if it cannot be taken, its proposer will notice by a timeout. */
function takeForwarded(replica: Replica, message: ProposeMessage): void {
  if (replica.role !== 'leader') return;
  try {
    propose(replica, message.entries);
  } catch (thrown) {
    if (!isRaftError(thrown, 'ProposalDropped')) throw thrown;
  }
}
