// In which order the voters of a group call an election when they miss a leader: first the one that should lead it,
// then the others, in another order for each group so that those of a lost node spread. So a thousand groups start
// where they should be led, each with one candidate; several at once may all fail and wait again.
// Who led the group last comes last, since it may be what is wrong with it. Only Raft decides who wins.

import type { NodeId } from '../ports.js';

export interface Voter {
  readonly group: number;
  readonly self: NodeId;
  /** In the same order on every node. */
  readonly voters: readonly NodeId[];
  /** Who should lead the group. */
  readonly preferred: NodeId;
  /** Who led it last, as far as this node knows; 0: unknown. */
  readonly lastLead: NodeId;
}

/** The part of the span in which the first one campaigns, and where that of the others begins. */
const FIRST_END = 0.2;
const OTHERS_START = 0.1;

/**
 * How much longer than the least timeout this node waits, in whole ticks from 0 to `span` - 1; `chance` is from 0 to
 * less than 1.
 */
export function electionDelay(voter: Voter, span: number, chance: number): number {
  const [start, end] = share(voter);
  return Math.floor((start + (end - start) * chance) * span);
}

function share({ group, self, voters, preferred, lastLead }: Voter): readonly [number, number] {
  const others = voters.length - 1;
  const away = distance(voters, preferred, self);
  if (away === undefined) return [0, 1];
  if (away === 0 && lastLead !== self) return [0, FIRST_END];
  const rank = (away - 1 + Math.floor(group / voters.length)) % others;
  const width = (1 - OTHERS_START) / Math.max(1, others);
  const start = lastLead === self ? 1 - width : OTHERS_START + rank * width;
  return [start, start + width];
}

/** How many voters further on `to` is than `from`; `undefined`: one of them is none. */
function distance(voters: readonly NodeId[], from: NodeId, to: NodeId): number | undefined {
  const [start, end] = [voters.indexOf(from), voters.indexOf(to)];
  if (start < 0 || end < 0) return undefined;
  return (end - start + voters.length) % voters.length;
}
