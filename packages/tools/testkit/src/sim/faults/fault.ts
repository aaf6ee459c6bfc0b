// One thing that may go wrong in a run.

import type { Prng } from '@deltabase/base';
import type { NodeId } from '@deltabase/engine';
import type { Cluster } from '../../cluster/cluster.js';
import type { TokenCluster } from '../../cluster/token-cluster.js';
import type { Operator } from '../operator.js';

export const FAULT_KINDS = [
  'process',
  'network',
  'disk',
  'damage',
  'clock',
  'client',
  'machine',
  'members',
  'replica',
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

export interface Fault {
  readonly name: string;
  readonly kind: FaultKind;
  /** How long until it happens, on average, ms of virtual time: a run draws its own from about this. */
  readonly meanMs: number;
  /** Does it, if it can be done now. `chance` is this fault's own, so that others do not depend on it. */
  readonly inject: (run: FaultHost, chance: Prng) => void;
}

/**
 * What has become of a node's data. `refused`: it must not start again; `found`: it stops when it finds out; `alone`:
 * nobody listens to it; `restored`: it takes part, or is told that it must not.
 */
export type Damage = 'refused' | 'found' | 'alone' | 'restored';

/** What faults may do to a run. */
export interface FaultHost {
  readonly tokens: TokenCluster;
  readonly cluster: Cluster;
  /** Document groups. */
  readonly groups: number;
  /** It has happened. */
  count(what: string): void;
  /** Calls `run` after a while of at most twice `meanMs`, unless the run's faults have ended by then. */
  later(meanMs: number, chance: Prng, run: () => void): void;
  /** Ends a node's process; what it was writing is kept or lost. */
  crash(id: NodeId, inFlight: 'kept' | 'lost'): void;
  /** Ends a node's process as one that is asked to. */
  stop(id: NodeId): void;
  /** A node takes nothing any more in this life. */
  drains(id: NodeId): void;
  /** Starts a node after a while, unless it runs by then. */
  startLater(id: NodeId, meanMs: number, chance: Prng): void;
  /** The next write of a node fails: its process ends, and starts again. */
  expectFailure(id: NodeId): void;
  /** Whether one node more may lose what it has for good. */
  mayDamage(id: NodeId): boolean;
  readonly isAnyDamaged: boolean;
  damaged(id: NodeId, damage: Damage): void;
  /** Who changes the members. */
  readonly operator: Operator;
  /** Calls `then` with the node that says the next line that `is`. */
  awaitLine(is: (line: string) => boolean, then: (node: NodeId) => void): void;
  /** Another client takes the place of one that has ended. */
  replaceClient(chance: Prng): void;
}

/** One of `all`; `undefined`: there is none. */
export function oneOf<T>(chance: Prng, all: readonly T[]): T | undefined {
  return all.length === 0 ? undefined : all[chance.below(all.length)];
}

/** Any node that does not know that it is expelled. */
export function anyNode({ cluster }: FaultHost, chance: Prng): NodeId | undefined {
  return oneOf(chance, cluster.ids);
}

/** A node that is up. */
export function anyUp({ cluster }: FaultHost, chance: Prng): NodeId | undefined {
  return oneOf(
    chance,
    cluster.ids.filter((id) => cluster.isUp(id)),
  );
}
