// What a seed draws: each run has some kinds of faults and not others, and limits so small that they are met.

import type { ConfChange, NodeChange } from '../../src/conf-change.js';
import type { NodeId } from '../../src/types.js';
import type { HostConfig } from './host.js';
import type { Prng } from './prng.js';

export interface Faults {
  readonly crash: number;
  /** How likely a partition is to begin. */
  readonly cut: number;
  /** How likely the next one is to follow at once: what one island has done meets what another one has. */
  readonly chain: number;
  /** How likely a node is to miss a tick; none where leases trust the clocks. */
  readonly stall: number;
}

export const NO_FAULTS: Faults = { crash: 0, cut: 0, chain: 0, stall: 0 };

export function drawFaults(prng: Prng): Faults {
  return {
    crash: prng.pick([0, 0.002, 0.01]),
    cut: prng.pick([0, 0.01, 0.05]),
    chain: prng.pick([0, 0.5, 0.9]),
    stall: prng.pick([0, 0.3]),
  };
}

export function drawConfig(prng: Prng): HostConfig {
  const checkQuorum = prng.chance(0.8);
  return {
    electionTicks: 3 + prng.below(4),
    heartbeatTicks: 1 + prng.below(2),
    checkQuorum,
    preVote: prng.chance(0.8),
    readOnly: checkQuorum && prng.chance(0.4) ? 'lease' : 'safe',
    stepDownOnRemoval: prng.chance(0.7),
    disableProposalForwarding: prng.chance(0.2),
    appendBytesMax: prng.pick([1, 60, 1_000_000]),
    applyingBytesMax: prng.pick([1, 60, 1_000_000]),
    uncommittedBytesMax: prng.pick([4, 40, Infinity]),
    inflightMessagesMax: prng.pick([1, 2, 256]),
    inflightBytesMax: prng.pick([1, 100, Infinity]),
  };
}

/** Any change of the configuration, with whatever nodes. */
export function drawChange(
  prng: Prng,
  nodes: readonly NodeId[],
): Pick<ConfChange, 'changes' | 'transition'> {
  const changes = prng.chance(0.3) ? drawReplacements(prng, nodes) : drawSome(prng, nodes);
  const transition = prng.pick(['auto', 'auto', 'implicit', 'explicit'] as const);
  return { changes, transition };
}

function drawSome(prng: Prng, nodes: readonly NodeId[]): NodeChange[] {
  const kinds = ['addVoter', 'addVoter', 'addLearner', 'remove'] as const;
  return Array.from({ length: prng.below(4) }, () => ({
    kind: prng.pick(kinds),
    node: prng.pick(nodes),
  }));
}

/** Other voters altogether: both halves of the joint configuration may have no node in common. */
function drawReplacements(prng: Prng, nodes: readonly NodeId[]): NodeChange[] {
  const from = prng.below(nodes.length);
  return nodes.map((node, at) => ({
    kind: (at - from + nodes.length) % nodes.length < 3 ? 'addVoter' : 'remove',
    node,
  }));
}
