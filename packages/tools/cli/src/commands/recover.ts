// deltabase recover: makes a cluster that has lost its quorum for good go on from what is left of it. Unsafe by nature: it
// only looks unless the nodes that are given up are named.

import { DeltabaseError } from '@deltabase/base';
import { connect, type NodeReport } from '@deltabase/client';
import type { Member } from '@deltabase/engine';
import { type Command, InvalidArgumentError } from 'commander';
import { Context } from '../context.js';
import { doneText, prospectText, recoveryJson } from '../format/recovery.js';
import type { Io } from '../io.js';
import type { Prospect } from '../offline/recover-data.js';
import { collect, natural } from '../parse.js';

interface RecoverOptions {
  readonly with?: readonly string[];
  readonly giveUp?: readonly number[];
  readonly json?: boolean;
  readonly color: boolean;
}

/** Who is there answers at once. */
const ANSWER_MS = 2000;

export function addRecover(program: Command, io: Io): void {
  program
    .command('recover')
    .summary('go on from a lost quorum (unsafe)')
    .description('Has a cluster whose majority is lost for good go on from what is left. UNSAFE.')
    .argument('<directory>', 'the data directory that goes on')
    .option('--with <directory>', 'that of another survivor (repeat it)', collect)
    .option('--give-up <nodes>', 'do it, and give up these nodes, such as 2,3', nodes)
    .option('--json', 'JSON for programs')
    .option('--no-color', 'no colors (or NO_COLOR; FORCE_COLOR: always)')
    .addHelpText('after', HELP)
    .action((target: string, options: RecoverOptions) =>
      recover(new Context(io, options), target, options),
    );
}

const HELP = `
The directory, of a node that does not run, becomes that of the only member.
Without --give-up nothing is changed: it says what is there, what would be done,
and which nodes would be given up. Bring back a majority instead wherever you
can: what only the lost nodes had acknowledged is lost, and nobody can tell what
that was.

Each group is taken from the survivor that has most of it: give the directories
of all (copies from other machines will do, but of stopped nodes). Those that
--with names are only read. No node but the one that goes on can come back.
docs/operations.md has the whole procedure.

Examples:
  deltabase recover /var/lib/deltabase
  deltabase recover /var/lib/deltabase --give-up 2,3
  deltabase recover data-1 --with data-2 --give-up 3,4,5`;

async function recover(context: Context, target: string, options: RecoverOptions): Promise<void> {
  // What it needs of LevelDB takes a while to load.
  const { lookAtRecovery, recoverData } = await import('../offline/recover-data.js');
  const directories = { target, others: options.with ?? [] };
  const { signal } = context.call;
  const { giveUp } = options;
  if (giveUp === undefined) {
    const prospect = await lookAtRecovery(directories, signal);
    const command = [
      'deltabase recover',
      target,
      ...directories.others.map((one) => `--with ${one}`),
    ];
    await context.show(recoveryJson(prospect), () =>
      prospectText(context, prospect, command.join(' ')),
    );
    return;
  }
  const done = await recoverData(directories, {
    giveUp,
    signal,
    checkLost: (prospect, lost) => checkLost(prospect, lost, signal),
    progress: (line) => context.note(line),
  });
  await context.show(recoveryJson(done), () => doneText(context, done));
}

/** Throws MEMBERS_REFUSED if a node of this cluster answers that would be given up. */
async function checkLost(
  { survivors }: Prospect,
  lost: readonly Member[],
  signal: AbortSignal,
): Promise<void> {
  const { cluster } = survivors[0]!.row;
  for (const { node, clientAddress } of lost) {
    const reports = await whoAnswers(clientAddress, signal);
    const alive = reports.find(
      (report) =>
        report.kind === 'status' && report.node === node && report.status.cluster === cluster,
    );
    if (alive === undefined) continue;
    throw new DeltabaseError(
      'MEMBERS_REFUSED',
      `node ${node} answers at ${clientAddress}, so it is not lost: stop it and give its data directory (--with), or ` +
        'bring back a majority and leave things as they are',
    );
  }
}

async function whoAnswers(address: string, signal: AbortSignal): Promise<readonly NodeReport[]> {
  const limits = { deadlineMsMax: ANSWER_MS };
  try {
    const client = await connect({ addresses: [address], connectMs: ANSWER_MS, limits, signal });
    try {
      return await client.cluster.nodes({ deadlineMs: ANSWER_MS, signal });
    } finally {
      await client.close({ abandon: true });
    }
  } catch (thrown) {
    const isSilent =
      thrown instanceof DeltabaseError &&
      (thrown.code === 'UNAVAILABLE' || thrown.code === 'DEADLINE_EXCEEDED');
    if (isSilent) return [];
    throw thrown;
  }
}

/** Ids separated by commas. */
function nodes(text: string): readonly number[] {
  const parts = text.split(',').map((part) => part.trim());
  if (parts.some((part) => part === '')) throw new InvalidArgumentError('Use ids, such as 2,3.');
  return parts.map(natural);
}
