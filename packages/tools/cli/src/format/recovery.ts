// What a recovery would do, or has done, for people and for programs.

import type { Recovery } from '@deltabase/client';
import type { RecoveryRow } from '@deltabase/engine';
import type { Context } from '../context.js';
import type { Prospect } from '../offline/recover-data.js';
import { printable } from './printable.js';
import { table } from './table.js';
import { moment } from './values.js';

const RIGHT = 'right' as const;
const COLUMNS = [
  { head: 'GROUP', align: RIGHT },
  { head: 'QUORUM' },
  { head: 'TAKEN FROM', align: RIGHT },
  { head: 'LAST ENTRY', align: RIGHT },
  { head: 'COMMITTED', align: RIGHT },
];

type Painter = Pick<Context, 'paint'>;

/** What would be done; `command` is what was typed. */
export function prospectText({ paint }: Painter, prospect: Prospect, command: string): string {
  const { survivors, plan } = prospect;
  const { cluster, clusterId } = survivors[0]!.row;
  const groups = plan.groups.map(({ group, from, lastIndex, commit, hasQuorum }) => [
    String(group),
    hasQuorum ? 'whole' : paint.red('lost'),
    `node ${from}`,
    String(lastIndex),
    String(commit),
  ]);
  const here = survivors.map(({ row }) => row.node);
  return [
    `cluster ${paint.bold(printable(cluster))} ${clusterId}: data of node ${here.join(', ')} is here, ` +
      `of node ${plan.givenUp.join(', ')} is not\n\n`,
    table(COLUMNS, groups, paint.dim),
    `\n${paint.red(lossText(prospect))}\n`,
    '\nNothing was changed. Bring back a majority if you can. If the others are lost for good:\n\n',
    `  ${command} --give-up ${plan.givenUp.join(',')}\n`,
  ].join('');
}

/** What was done, and what is to be done now. */
export function doneText(
  { paint }: Painter,
  prospect: Prospect & { readonly recovery: RecoveryRow },
): string {
  const { recovery, survivors } = prospect;
  const { cluster } = survivors[0]!.row;
  const { node, clusterId } = recovery;
  return [
    `${paint.red(lossText(prospect))}\n\n`,
    `cluster ${paint.bold(printable(cluster))} is ${clusterId} now, with node ${node} as its only member. Start that node,\n`,
    'look at what it has, and add fresh nodes (deltabase cluster add). No other node of before may\n',
    'start again; keep their data directories until you miss nothing.\n',
  ].join('');
}

/** What it costs. */
function lossText({ plan: { node, givenUp, groups } }: Prospect): string {
  const unsure = groups.filter(({ lastIndex, commit }) => lastIndex > commit).length;
  return [
    `DATA MAY BE LOST. What node ${givenUp.join(', ')} acknowledged and is not here is gone for good, and`,
    'nobody can tell what that was: answers that were given may turn out untrue, and messages',
    'that are sent again may take effect twice.',
    `In ${unsure} of ${groups.length} groups the log goes beyond what is known to be committed: all of it is kept,`,
    `so what was never answered may take effect. Node ${node} goes on alone.`,
  ].join('\n');
}

export function recoveryJson(
  prospect: Prospect & { readonly recovery?: RecoveryRow | undefined },
): object {
  const { survivors, plan, recovery } = prospect;
  const { formerId, node, givenUp, groups } = plan;
  return {
    recovered: recovery !== undefined,
    cluster: survivors[0]!.row.cluster,
    clusterId: recovery?.clusterId ?? formerId,
    formerId,
    node,
    survivors: survivors.map(({ row }) => row.node),
    givenUp,
    groups: groups.map(({ group, from, lastIndex, commit, hasQuorum }) => {
      return { group, from, lastIndex, commitIndex: commit, hasQuorum };
    }),
  };
}

/** A recovery of the past, in one line. */
export function recoveredText({ formerId, node, takenFrom, givenUp, timeMs }: Recovery): string {
  const sources = [node, ...takenFrom].join(', ');
  return (
    `recovered from a lost quorum at ${moment(timeMs)}: from node ${sources}, without node ${givenUp.join(', ')}; ` +
    `before that it was ${printable(formerId)}`
  );
}
