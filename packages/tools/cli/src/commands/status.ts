// deltabase status: the nodes of the cluster and the groups they lead.

import type { NodeReport, NodeStatus } from '@deltabase/client';
import type { Command } from 'commander';
import { type CommonOptions, Context, withCommon } from '../context.js';
import { reportJson } from '../format/json.js';
import { printable } from '../format/printable.js';
import { recoveredText } from '../format/recovery.js';
import { table } from '../format/table.js';
import { bytes, count, duration } from '../format/values.js';
import type { Io } from '../io.js';

const RIGHT = 'right' as const;
/** A node that does not answer this fast is shown as such, ms. */
const NODE_MS = 3000;

export function addStatus(program: Command, io: Io): void {
  const command = program
    .command('status')
    .summary('the nodes and groups of the cluster')
    .description('Shows the nodes of the cluster and its groups: who leads, how far each copy is.');
  withCommon(command)
    .addHelpText(
      'after',
      `
The row of a group is as its leader sees it. COPIES says up to which index each
node has applied its log. ASLEEP counts the groups of which a node needs to hear
nothing, since nothing happens in them.

Examples:
  deltabase status
  deltabase status --json`,
    )
    .action((options: CommonOptions) => status(new Context(io, options)));
}

async function status(context: Context): Promise<void> {
  const deadlineMs = Math.min(context.call.deadlineMs, NODE_MS);
  const reports = await context.withClient((client) =>
    client.cluster.nodes({ ...context.call, deadlineMs }),
  );
  const nodes = reports.filter(isFirst);
  await context.show({ nodes: nodes.map(reportJson) }, () => statusText(context, nodes));
}

/** A node may have been named by two of its addresses. */
function isFirst({ node }: NodeReport, at: number, reports: readonly NodeReport[]): boolean {
  return node === 0 || reports.findIndex((other) => other.node === node) === at;
}

/** The whole picture, from what each node says of itself and leaders say of their groups. */
export function statusText(context: Pick<Context, 'paint'>, nodes: readonly NodeReport[]): string {
  const { paint } = context;
  const statuses = nodes.flatMap((node) => (node.kind === 'status' ? [node.status] : []));
  const name = statuses[0]?.cluster ?? 'unknown';
  const recoveries = statuses[0]?.recoveries ?? [];
  return [
    `cluster ${paint.bold(printable(name))}: ${statuses.length} of ${nodes.length} nodes answer\n`,
    ...recoveries.map((one) => `${paint.yellow(recoveredText(one))}\n`),
    '\n',
    table(
      NODE_COLUMNS,
      nodes.map((node) => nodeRow(context, node)),
      paint.dim,
    ),
    '\n',
    ...replicaTable(statuses, paint),
    table(GROUP_COLUMNS, groupRows(statuses), paint.dim),
  ].join('');
}

const NODE_COLUMNS = [
  { head: 'NODE', align: RIGHT },
  { head: 'ADDRESS' },
  { head: 'STATE' },
  { head: 'VERSION' },
  { head: 'UP', align: RIGHT },
  { head: 'LEADS', align: RIGHT },
  { head: 'ASLEEP', align: RIGHT },
  { head: 'EXECUTED', align: RIGHT },
  { head: 'DELTAS', align: RIGHT },
  { head: 'DOCUMENTS', align: RIGHT },
  { head: 'WATCHES', align: RIGHT },
  { head: 'MEMORY', align: RIGHT },
  { head: 'DISK', align: RIGHT },
];

function nodeRow({ paint }: Pick<Context, 'paint'>, report: NodeReport): string[] {
  const { node, address } = report;
  const head = [node === 0 ? '?' : String(node), address];
  if (report.kind === 'failed') return [...head, paint.red('no answer')];
  const { status } = report;
  const { counters } = status;
  const led = status.groups.filter(({ role }) => role === 'leader').length;
  return [
    ...head,
    stateText(status, paint),
    printable(status.version),
    duration(status.uptimeMs),
    String(led),
    String(counters?.groupsAsleep ?? 0),
    count(counters?.messagesExecuted ?? 0),
    count(counters?.deltasApplied ?? 0),
    count(counters?.residentDocuments ?? 0),
    count(counters?.watches ?? 0),
    bytes(counters?.processBytes ?? 0),
    bytes(counters?.diskBytesUsed ?? 0),
  ];
}

function stateText(status: NodeStatus, paint: Context['paint']): string {
  if (status.draining) return paint.yellow('draining');
  if (status.diskStalled) return paint.red('disk hangs');
  if (status.diskLow) return paint.red('disk low');
  const damaged = status.groups.filter((group) => group.damaged).length;
  return damaged === 0 ? paint.green('up') : paint.red(`damaged (${damaged} groups)`);
}

const REPLICA_COLUMNS = [
  { head: 'REPLICA' },
  { head: 'ADDRESS' },
  { head: 'KEEPS FOR (node:documents)' },
];

/** The replicas that any node has; nothing if there are none. */
function replicaTable(statuses: readonly NodeStatus[], paint: Context['paint']): string[] {
  const all = statuses.flatMap(({ node, replicas }) =>
    replicas.map((replica) => ({ node, replica })),
  );
  const names = [...new Set(all.map(({ replica }) => replica.name))].sort();
  if (names.length === 0) return [];
  const rows = names.map((name) => {
    const ofName = all.filter(({ replica }) => replica.name === name);
    const keeps = ofName.map(({ node, replica }) => `${node}:${replica.copies}`);
    return [printable(name), printable(ofName[0]!.replica.address), keeps.join(' ')];
  });
  return [table(REPLICA_COLUMNS, rows, paint.dim), '\n'];
}

const GROUP_COLUMNS = [
  { head: 'GROUP', align: RIGHT },
  { head: 'LEADER', align: RIGHT },
  { head: 'TERM', align: RIGHT },
  { head: 'LOG' },
  { head: 'COMMITTED', align: RIGHT },
  { head: 'FLUSHED', align: RIGHT },
  { head: 'QUEUED', align: RIGHT },
  { head: 'COPIES (node:applied)' },
];

function groupRows(statuses: readonly NodeStatus[]): string[][] {
  const groups = statuses[0]?.groups.map(({ group }) => group) ?? [];
  return groups.map((id) => groupRow(id, statuses));
}

interface View {
  readonly node: number;
  readonly view: NodeStatus['groups'][number];
}

/** As its leader says, or else whoever is furthest. */
function groupRow(id: number, statuses: readonly NodeStatus[]): string[] {
  const views = statuses
    .map(({ node, groups }) => ({ node, view: groups.find(({ group }) => group === id)! }))
    .filter(({ view }) => view !== undefined);
  const [best] = [...views].sort((a, b) => rank(b) - rank(a));
  const { view } = best!;
  return [
    String(id),
    view.leader === 0 ? '-' : String(view.leader),
    String(view.term),
    `${view.firstIndex}-${view.lastIndex}`,
    String(view.commitIndex),
    String(view.flushedIndex),
    String(view.queuedMessages),
    views.map((one) => copyText(one, view)).join(' '),
  ];
}

/** How far a copy is; it may not know itself that it is damaged, but its leader does. */
function copyText({ node, view }: View, leader: View['view']): string {
  const isDamaged =
    view.damaged || leader.progress.some((peer) => peer.node === node && peer.damaged);
  return `${node}:${view.appliedIndex}${isDamaged ? '(damaged)' : ''}`;
}

function rank({ view }: View): number {
  return view.term * 2 + (view.role === 'leader' ? 1 : 0);
}
