// What a server is started with: parsed, checked, complete.

import type { Limits } from '@deltabase/base';
import type { Timing } from '@deltabase/engine';
import type { Member } from './members.js';

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
  /** Every node of the cluster, this one among them. */
  readonly members: readonly Member[];
  readonly groups: number;
  readonly timing: Timing;
  readonly logLevel: LogLevel;
  readonly limits: Limits;
}
