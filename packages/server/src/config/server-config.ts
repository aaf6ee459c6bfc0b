// What a server is started with: parsed, checked, complete.

import type { Limits } from '@deltabase/base';
import type { Member, Timing } from '@deltabase/engine';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

export interface ServerConfig {
  readonly cluster: string;
  readonly node: number;
  readonly dataDir: string;
  /** host:port that clients reach this process at; port 0: any free one. */
  readonly listen: string;
  /** host:port that other nodes reach this process at; port 0: any free one. */
  readonly peerListen: string;
  /**
   * Nodes of the cluster: the first ones, this one among them, for its first start; later where to find some. Empty: not
   * given.
   */
  readonly members: readonly Member[];
  /** host:port of nodes, for clients, of a cluster to join at the first start. */
  readonly join: readonly string[];
  /** `undefined`: as many as the data or the cluster has, or the default. */
  readonly groups: number | undefined;
  readonly timing: Timing;
  readonly logLevel: LogLevel;
  readonly limits: Limits;
}
