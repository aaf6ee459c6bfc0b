// kill -9 of a group's leader at certain messages of a series, the load being there before and after: no message
// beyond the next kill is sent before the node killed last is back and the cluster has come to rest.

import type { ProcessCluster } from '@deltabase/testkit';
import { leadersSettled } from './calm.js';
import type { GatedSends } from './gated-sends.js';
import { NodeView } from './node-view.js';
import { sleep, until } from './scratch.js';

export interface LeaderKill {
  readonly node: number;
  /** Messages answered, and sent without an answer, when it was killed. */
  readonly answered: number;
  readonly inFlight: number;
  /** Messages answered from then until it ran again. */
  readonly answeredWhileDown: number;
}

export interface LeaderKillsOptions {
  readonly cluster: ProcessCluster;
  readonly group: number;
  readonly sends: GatedSends;
  /** Numbers of answers at which a leader is killed, rising. */
  readonly at: readonly number[];
  /** Messages to hold back before a kill; they are the load that it meets. */
  readonly load: number;
  /** All messages. */
  readonly count: number;
  readonly downMs: number;
}

interface Led {
  readonly leader: number;
  readonly term: number;
}

/** Lets the messages go, and kills on the way; resolves once all nodes run again. */
export async function killLeaders(options: LeaderKillsOptions): Promise<LeaderKill[]> {
  const { cluster, group, sends, at, load, count } = options;
  const kills: LeaderKill[] = [];
  for (const answers of at) {
    // The load waits at the gate until it is known whom to kill.
    sends.openTo(answers - load);
    await sends.atAnswer(answers - load, () => {});
    await leadersSettled(cluster);
    const led = await leadershipOf(cluster, group);
    const next = at.find((other) => other > answers);
    const killed = sends.atAnswer(answers, () => killLeader(options, led));
    sends.openTo(next === undefined ? count : next - load);
    kills.push(await killed);
  }
  sends.openTo(count);
  return kills;
}

async function killLeader(
  { cluster, group, sends, downMs }: LeaderKillsOptions,
  { leader, term }: Led,
): Promise<LeaderKill> {
  const node = cluster.node(leader);
  const { answered, inFlight } = sends;
  await node.stop('SIGKILL');
  await sleep(downMs);
  await node.start();
  const answeredWhileDown = sends.answered - answered;
  // Had it not led any more when it was killed, nobody would have needed another term.
  const now = await leadershipOf(cluster, group);
  if (now.term <= term) throw new Error(`node ${leader} did not lead when it was killed`);
  return { node: leader, answered, inFlight, answeredWhileDown };
}

/** Who leads a group, as the leader itself says. */
async function leadershipOf(cluster: ProcessCluster, group: number): Promise<Led> {
  let led: Led = { leader: 0, term: 0 };
  await until(`a leader of group ${group}`, async () => {
    for (const node of cluster.nodes) {
      const asked = NodeView.with(node.clientAddress, (view) => view.status());
      const report = await asked.catch(() => undefined);
      const found = report?.groups[group];
      // Two may say so for a moment; the later term is right.
      if (found?.role === 'leader' && found.term > led.term) {
        led = { leader: node.id, term: found.term };
      }
    }
    return led.leader !== 0;
  });
  return led;
}
