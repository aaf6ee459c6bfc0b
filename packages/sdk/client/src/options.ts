// What callers may say: how to connect, and how long a call may take. Parsed here, once.

import { DeltabaseError } from '@deltabase/base';
import { isAddress } from './address.js';
import type { ClientLimits } from './limits.js';
import type { Transport } from './transport/transport.js';
import type { World } from './world.js';

/** Where the cluster is. */
export interface ConnectOptions {
  /** `host:port` of some nodes, at least one; the others are learned from them. */
  readonly addresses: readonly string[];
  /** How long to wait until a node answers, ms; 10 s by default. */
  readonly connectMs?: number;
  /** Wait for a way to the cluster, also where a replica has answered that has none now; stale reads need none. */
  readonly clusterNeeded?: boolean;
  /** Stops connecting. */
  readonly signal?: AbortSignal;
  /** Limits that differ from the defaults. */
  readonly limits?: Partial<ClientLimits>;
  /** Another way to reach nodes than gRPC. */
  readonly transport?: Transport;
  /** Another clock, for tests. */
  readonly world?: World;
}

/** How long a call may take, and who may stop it. */
export interface CallOptions {
  /** Milliseconds until it fails with DEADLINE_EXCEEDED; 30 s by default, 10 minutes at most. */
  readonly deadlineMs?: number;
  /** Fails it with CANCELLED. */
  readonly signal?: AbortSignal;
}

/** The deadline of a call, ms from now. Throws INVALID_ARGUMENT for one that makes no sense. */
export function timeoutOf({ deadlineMs }: CallOptions, limits: ClientLimits): number {
  if (deadlineMs === undefined) return limits.deadlineMs;
  if (deadlineMs > 0 && deadlineMs <= limits.deadlineMsMax) return deadlineMs;
  throw new DeltabaseError(
    'INVALID_ARGUMENT',
    `deadlineMs ${deadlineMs}: use more than 0 and at most ${limits.deadlineMsMax} milliseconds`,
  );
}

/** Addresses without doubles. Throws INVALID_ARGUMENT for what is not `host:port`, or a port that none can have. */
export function checkAddresses(addresses: readonly string[]): readonly string[] {
  if (addresses.length === 0) {
    throw new DeltabaseError('INVALID_ARGUMENT', 'give the address of at least one node');
  }
  for (const address of addresses) {
    if (isAddress(address)) continue;
    throw new DeltabaseError(
      'INVALID_ARGUMENT',
      `address ${JSON.stringify(address)}: use host:port with a port from 1 to 65535, such as 127.0.0.1:7410 or ` +
        '[::1]:7410',
    );
  }
  return [...new Set(addresses)];
}
