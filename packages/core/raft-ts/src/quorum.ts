// Majorities, alone and joint (Raft §6): pure functions over lists of voters, usable by themselves.
// An empty list is a quorum that everything satisfies: it is the empty half of a configuration that is not
// joint.

import type { NodeId } from './types.js';

/** How an election stands. */
export type VoteResult = 'won' | 'lost' | 'pending';

/** Who votes: the incoming half, and the outgoing half, which is empty unless the configuration is joint. */
export interface Voters {
  readonly incoming: readonly NodeId[];
  readonly outgoing: readonly NodeId[];
}

/** How many of `count` voters make a majority. */
export function majority(count: number): number {
  return Math.floor(count / 2) + 1;
}

/**
 * The largest index that a majority of `voters` has acknowledged, by `acked` (0 for unknown voters);
 * Infinity without voters.
 */
export function majorityIndex(voters: readonly NodeId[], acked: (id: NodeId) => number): number {
  const [a, b, c] = voters;
  if (a === undefined) return Infinity;
  if (b === undefined) return acked(a);
  if (c === undefined) return Math.min(acked(a), acked(b));
  if (voters.length === 3) return median(acked(a), acked(b), acked(c));
  const indices = voters.map((id) => acked(id)).sort((x, y) => y - x);
  return indices[majority(voters.length) - 1]!;
}

/** The largest index that majorities of both halves have acknowledged. */
export function jointIndex(voters: Voters, acked: (id: NodeId) => number): number {
  const incoming = majorityIndex(voters.incoming, acked);
  if (voters.outgoing.length === 0) return incoming;
  return Math.min(incoming, majorityIndex(voters.outgoing, acked));
}

/** How the election stands among `voters`; `vote` gives a voter's answer, `undefined` if none came. */
export function majorityVote(
  voters: readonly NodeId[],
  vote: (id: NodeId) => boolean | undefined,
): VoteResult {
  if (voters.length === 0) return 'won';
  let granted = 0;
  let missing = 0;
  for (const id of voters) {
    const answer = vote(id);
    if (answer === true) granted++;
    if (answer === undefined) missing++;
  }
  const needed = majority(voters.length);
  if (granted >= needed) return 'won';
  return granted + missing >= needed ? 'pending' : 'lost';
}

/** How the election stands when both halves must be won. */
export function jointVote(voters: Voters, vote: (id: NodeId) => boolean | undefined): VoteResult {
  const incoming = majorityVote(voters.incoming, vote);
  const outgoing = majorityVote(voters.outgoing, vote);
  if (incoming === outgoing) return incoming;
  return incoming === 'lost' || outgoing === 'lost' ? 'lost' : 'pending';
}

/** Three voters are what most groups have, and this is asked with every acknowledgement: no list is made. */
function median(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}
