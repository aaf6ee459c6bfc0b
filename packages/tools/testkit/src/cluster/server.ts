// A process of a simulated cluster that can be read and watched, in one of its lives: a node or a replica.

import type { Limits, Prng } from '@deltabase/base';
import type { DocumentStreams } from '@deltabase/engine';
import type { NodeClock } from './node-clock.js';

export interface Server {
  /** `n1` or `r1`, as log lines name it. */
  readonly name: string;
  readonly kind: 'node' | 'replica';
  /** host:port. */
  readonly address: string;
  readonly streams: DocumentStreams;
  readonly clock: NodeClock;
  readonly limits: Limits;
  /** Whether this life has ended. */
  readonly isGone: boolean;
}

/** One of them, of each kind as often, of those kinds that there are; `undefined`: there is none. */
export function pickServer(
  servers: readonly Server[],
  chance: Prng,
  kinds: ReadonlyArray<Server['kind']> = ['node', 'replica'],
): Server | undefined {
  const there = kinds.filter((kind) => servers.some((server) => server.kind === kind));
  if (there.length === 0) return undefined;
  const kind = there[chance.below(there.length)]!;
  const ofKind = servers.filter((server) => server.kind === kind);
  return ofKind[chance.below(ofKind.length)];
}
