// A real editing history through a real cluster: one message a patch, into one text document, with kill -9 of
// the document's leader at a third and at two thirds. Every node must end with the text that the history says,
// after every message took effect exactly once (AckedIsDurable, StateIsFold).

import { basename } from 'node:path';
import { type Client, connect } from '@deltabase/client';
import { groupOf } from '@deltabase/machine';
import type { ProcessCluster } from '@deltabase/testkit';
import { leadersSettled } from './calm.js';
import { type EditingTrace, readTrace } from './editing-trace.js';
import { GatedSends } from './gated-sends.js';
import { killLeaders, type LeaderKill } from './leader-kills.js';
import { NodeView } from './node-view.js';
import { readText } from './read-text.js';
import { exampleModule, withCluster } from './scratch.js';
import { type Traffic, TrafficMeter } from './traffic.js';

export interface ReplayReport {
  readonly messages: number;
  /** From the first message sent to the last answer. */
  readonly seconds: number;
  /** The part of it in which nothing was sent, until a killed node was back. */
  readonly heldSeconds: number;
  readonly kills: readonly LeaderKill[];
  readonly traffic: Traffic;
  /** Seq and hash, equal on all nodes. */
  readonly seq: number;
  readonly hash: string;
}

export interface ReplayOptions {
  readonly file: string;
  /** Only so many patches of it; the text is then computed here instead of taken from the file. */
  readonly limit?: number;
  /** Whether leaders are killed on the way. Default true. */
  readonly kills?: boolean;
}

/** With fewer messages there would be no load to kill a leader under. */
export const MESSAGES_MIN = 48;

const SPACE = 'text';
const DOWN_MS = 2000;
const DEADLINE_MS = 60_000;
const IN_FLIGHT_MAX = 512;

/** Runs the replay. Throws if any copy of the text, any seq or any hash is not what it must be. */
export async function replay({ file, limit, kills = true }: ReplayOptions): Promise<ReplayReport> {
  const trace = await readTrace(file, limit);
  const { length } = trace.patches;
  if (length < MESSAGES_MIN) throw new Error(`${length} patches are too few: ${MESSAGES_MIN}`);
  const key = basename(file).replace(/\..*/, '');
  return withCluster({}, async (cluster) => {
    const client = await connect({ addresses: cluster.addresses });
    try {
      await client.machines.deploy(SPACE, await exampleModule('text'));
      await leadersSettled(cluster);
      return await run({ cluster, client, key, trace, kills });
    } finally {
      await client.close({ abandon: true });
    }
  });
}

interface Run {
  readonly cluster: ProcessCluster;
  readonly client: Client;
  readonly key: string;
  readonly trace: EditingTrace;
  readonly kills: boolean;
}

async function run(given: Run): Promise<ReplayReport> {
  const meter = await TrafficMeter.start(given.cluster);
  try {
    return await measure(given, meter);
  } finally {
    await meter.stop();
  }
}

async function measure(given: Run, meter: TrafficMeter): Promise<ReplayReport> {
  const { cluster, client, key, trace, kills } = given;
  const { patches, endContent } = trace;
  const count = patches.length;
  const document = client.document(SPACE, key);
  const { groups } = await client.cluster.status();
  const load = Math.min(IN_FLIGHT_MAX, Math.floor(count / 16));
  const sends = new GatedSends({
    count,
    inFlightMax: load,
    send: async (place) => {
      const [at, deleted, insert] = patches[place]!;
      const payload = { at, delete: deleted, insert };
      return (await document.send('splice', payload, { deadlineMs: DEADLINE_MS })).seq;
    },
  });
  const startMs = performance.now();
  const sending = sends.seqs().then((seqs) => {
    checkSeqs(seqs);
    return (performance.now() - startMs) / 1000;
  });
  const killing = killLeaders({
    cluster,
    group: groupOf(SPACE, key, groups.length - 1),
    sends,
    at: kills ? [Math.floor(count / 3), Math.floor((2 * count) / 3)] : [],
    load,
    count,
    downMs: DOWN_MS,
  });
  const [seconds, killed] = await Promise.all([sending, killing]);
  const traffic = await meter.read();
  const { seq, hash } = await checkNodes(cluster, key, count, endContent);
  const heldSeconds = sends.heldMs / 1000;
  return { messages: count, seconds, heldSeconds, kills: killed, traffic, seq, hash };
}

/** Each message made the seq behind the one before it: none was lost, none took effect twice. */
function checkSeqs(seqs: readonly number[]): void {
  for (const [at, seq] of seqs.entries()) {
    if (seq !== at + 1) throw new Error(`message ${at + 1} was answered with seq ${seq}`);
  }
}

async function checkNodes(
  cluster: ProcessCluster,
  key: string,
  seq: number,
  endContent: string,
): Promise<{ seq: number; hash: string }> {
  const copies = [];
  for (const { id, clientAddress } of cluster.nodes) {
    const copy = await NodeView.with(clientAddress, (view) => view.document(SPACE, key, seq));
    if (readText(copy.value) !== endContent) throw new Error(`node ${id} has another text`);
    copies.push(copy);
  }
  const [first] = copies;
  for (const copy of copies) {
    if (copy.seq !== seq) throw new Error(`a node has seq ${copy.seq} after ${seq} messages`);
    if (copy.hash !== first!.hash) throw new Error('two nodes have different hashes at one seq');
  }
  return { seq, hash: first!.hash };
}

/** The report for people. */
export function renderReplay(report: ReplayReport): string {
  const { messages, seconds, heldSeconds, kills, traffic, seq, hash } = report;
  const perSecond = (messages / (seconds - heldSeconds)).toFixed(0);
  const each = (bytes: number): string => (bytes / messages).toFixed(0);
  const { logBytes, diskBytes, peerBytes, clientBytes } = traffic;
  return [
    ...kills.map(
      ({ node, answered, inFlight, answeredWhileDown }) =>
        `kill -9 of the leader, node ${node}, at ${answered} answers with ${inFlight} messages in flight; ` +
        `${answeredWhileDown} answers until it was back`,
    ),
    `${messages} messages in ${seconds.toFixed(1)} s, ${heldSeconds.toFixed(1)} s of it held until a node was back: ${perSecond}/s`,
    `bytes a keystroke: log ${each(logBytes)} on the three nodes (${each(logBytes / 3)} on each), disk ${each(diskBytes)}; ` +
      `network ${each(peerBytes)} between nodes, ${each(clientBytes)} between client and nodes`,
    `every node: the text of the history, seq ${seq}, hash ${hash}`,
  ].join('\n');
}
