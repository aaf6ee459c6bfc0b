// A real editing history through a real cluster: one message a patch, into one text document, with kill -9 of
// the document's leader at a third and at two thirds. Every node must end with the text that the history says,
// after every message took effect exactly once (AckedIsDurable, StateIsFold).

import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { connect } from '@deltabase/client';
import { groupOf } from '@deltabase/machine';
import type { ProcessCluster } from '@deltabase/testkit';
import { NodeView } from './node-view.js';
import { readText } from './read-text.js';
import { exampleModule, sleep, until, withCluster } from './scratch.js';
import { type Traffic, TrafficMeter } from './traffic.js';

/** A history as github.com/josephg/editing-traces has them; positions count Unicode code points. */
interface EditingTrace {
  readonly startContent: string;
  readonly endContent: string;
  readonly txns: readonly { readonly patches: readonly Patch[] }[];
}

type Patch = readonly [position: number, deleted: number, inserted: string];

export interface ReplayReport {
  readonly messages: number;
  readonly seconds: number;
  readonly kills: number;
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
  readonly progress?: (line: string) => void;
}

const SPACE = 'text';
const DOWN_MS = 2000;
const DEADLINE_MS = 60_000;

/** Runs the replay. Throws if any copy of the text, any seq or any hash is not what it must be. */
export async function replay(options: ReplayOptions): Promise<ReplayReport> {
  const trace = JSON.parse(
    gunzipSync(await readFile(options.file)).toString('utf8'),
  ) as EditingTrace;
  const patches = patchesOf(trace).slice(0, options.limit ?? Infinity);
  const isWhole = patches.length === patchesOf(trace).length;
  const endContent = isWhole ? trace.endContent : applyPatches(patches);
  const key = basename(options.file).replace(/\..*/, '');
  return withCluster({}, (cluster) => run(cluster, { ...options, key, patches, endContent }));
}

interface Run extends ReplayOptions {
  readonly key: string;
  readonly patches: readonly Patch[];
  readonly endContent: string;
}

async function run(cluster: ProcessCluster, { key, patches, endContent, ...options }: Run) {
  const client = await connect({ addresses: cluster.addresses });
  try {
    await client.machines.deploy(SPACE, await exampleModule('text'));
    const meter = new TrafficMeter(cluster);
    const document = client.document(SPACE, key);
    const { groups } = await client.cluster.status();
    const group = groupOf(SPACE, key, groups.length - 1);
    let answered = 0;
    const fractions = options.kills === false ? [] : [1 / 3, 2 / 3];
    const killer = killAt(
      cluster,
      group,
      fractions.map((part) => part * patches.length),
      () => answered,
    );
    const startMs = performance.now();
    const sends = patches.map(async ([at, deleted, insert]) => {
      const payload = { at, delete: deleted, insert };
      const { seq } = await document.send('splice', payload, { deadlineMs: DEADLINE_MS });
      answered++;
      return seq;
    });
    const seqs = await Promise.all(sends);
    const seconds = (performance.now() - startMs) / 1000;
    const kills = await killer;
    const traffic = await meter.end();
    checkSeqs(seqs);
    const { seq, hash } = await checkNodes(cluster, key, patches.length, endContent);
    const report = { messages: patches.length, seconds, kills, traffic, seq, hash };
    options.progress?.(renderReport(report));
    return report;
  } finally {
    await client.close({ abandon: true });
  }
}

/** Each message made the seq behind the one before it: none was lost, none took effect twice. */
function checkSeqs(seqs: readonly number[]): void {
  for (const [at, seq] of seqs.entries()) {
    if (seq !== at + 1) throw new Error(`message ${at + 1} was answered with seq ${seq}`);
  }
}

/** Kills the leader of `group` with kill -9 when so many messages are answered; it is down for 2 s. */
async function killAt(
  cluster: ProcessCluster,
  group: number,
  counts: readonly number[],
  answered: () => number,
): Promise<number> {
  for (const count of counts) {
    await until(`${count} answers`, () => answered() >= count, 120_000);
    const leader = await leaderOf(cluster, group);
    await cluster.node(leader).stop('SIGKILL');
    await sleep(DOWN_MS);
    await cluster.node(leader).start();
  }
  return counts.length;
}

async function leaderOf(cluster: ProcessCluster, group: number): Promise<number> {
  let leader = 0;
  await until(`a leader of group ${group}`, async () => {
    for (const node of cluster.nodes.filter(({ isUp }) => isUp)) {
      const view = new NodeView(node.clientAddress);
      const report = await view.status().catch(() => undefined);
      view.close();
      if (report?.groups[group]?.role === 'leader') leader = node.id;
    }
    return leader !== 0;
  });
  return leader;
}

async function checkNodes(
  cluster: ProcessCluster,
  key: string,
  seq: number,
  endContent: string,
): Promise<{ seq: number; hash: string }> {
  const copies = [];
  for (const { id, clientAddress } of cluster.nodes) {
    const view = new NodeView(clientAddress);
    const copy = await view.document(SPACE, key, seq);
    view.close();
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

function patchesOf({ startContent, txns }: EditingTrace): Patch[] {
  const start: Patch[] = startContent === '' ? [] : [[0, 0, startContent]];
  return [...start, ...txns.flatMap(({ patches }) => patches)];
}

function applyPatches(patches: readonly Patch[]): string {
  let text: string[] = [];
  for (const [at, deleted, inserted] of patches) {
    text = [...text.slice(0, at), ...inserted, ...text.slice(at + deleted)];
  }
  return text.join('');
}

function renderReport({ messages, seconds, kills, traffic, seq, hash }: ReplayReport): string {
  const each = (bytes: number): string => (bytes / messages).toFixed(0);
  return [
    `${messages} messages in ${seconds.toFixed(1)} s (${(messages / seconds).toFixed(0)}/s), ${kills} leaders killed`,
    `bytes a keystroke, all three nodes: log ${each(traffic.logBytes)}, disk ${each(traffic.diskBytes)}, ` +
      `network ${each(traffic.networkBytes)}`,
    `every node: the text of the history, seq ${seq}, hash ${hash}`,
  ].join('\n');
}
