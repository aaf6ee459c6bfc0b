// A simulated cluster whose documents have something in them, and a client that goes on writing: what tests of members
// and of recoveries begin with.

import type { MembersOrder } from '@deltabase/engine';
import { simulatedMember, TokenCluster, type TokenClusterOptions } from '@deltabase/testkit';

export const KEYS = 'abcdefgh'.split('');

export function startWritten(options: Partial<TokenClusterOptions> = {}) {
  const lines: string[] = [];
  const trace = (line: string): void => void lines.push(line);
  const tokens = new TokenCluster({ seed: 1, groups: 3, trace, ...options }).start();
  const client = tokens.client('c');
  /** A message to each document. */
  const write = (): void => {
    for (const key of KEYS) client.send(key, 'append');
  };
  write();
  tokens.settle();
  return { tokens, client, write, lines };
}

/** The order to add a node, as a voter in the end unless told otherwise. */
export function add(node: number, promote = true): MembersOrder {
  return { kind: 'add', member: simulatedMember(node), promote };
}
