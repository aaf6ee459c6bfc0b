// deltabase machines: what is deployed.

import { writeFile } from 'node:fs/promises';
import { DeltabaseError } from '@deltabase/base';
import type { MachineVersion } from '@deltabase/client';
import type { Command } from 'commander';
import { type CommonOptions, Context, withCommon } from '../context.js';
import { versionJson } from '../format/json.js';
import { printable } from '../format/printable.js';
import { table } from '../format/table.js';
import { bytes, moment } from '../format/values.js';
import type { Io } from '../io.js';
import { natural } from '../parse.js';

interface GetOptions extends CommonOptions {
  readonly version?: number;
  readonly output?: string;
}

/** Enough of a hash to tell modules apart. */
const HASH_CHARACTERS = 12;

export function addMachines(program: Command, io: Io): void {
  const machines = program
    .command('machines')
    .summary('what is deployed')
    .description('Shows what is deployed.')
    .helpCommand(false)
    .addHelpText(
      'after',
      '\nExamples:\n  deltabase machines list\n  deltabase machines get counter',
    );
  const listCommand = machines
    .command('list')
    .summary('the latest version of every machine')
    .description('Shows the latest version of every machine.');
  withCommon(listCommand)
    .addHelpText(
      'after',
      '\nExamples:\n  deltabase machines list\n  deltabase machines list --json',
    )
    .action((options: CommonOptions) => list(new Context(io, options)));
  const getCommand = machines
    .command('get <space>')
    .summary('all versions of one machine')
    .description('Shows all versions of a machine; writes the module of one to a file if asked to.')
    .option('--version <number>', 'which module; the latest by default', natural)
    .option('-o, --output <file>', 'write the module to a file');
  withCommon(getCommand)
    .addHelpText(
      'after',
      `
Examples:
  deltabase machines get counter
  deltabase machines get counter --version 1 --output counter-1.wasm`,
    )
    .action((space: string, options: GetOptions) => get(new Context(io, options), space, options));
}

async function list(context: Context): Promise<void> {
  const machines = await context.withClient((client) => client.machines.list(context.call));
  if (machines.length === 0)
    context.note('nothing is deployed: deltabase deploy SPACE MODULE.wasm');
  await context.show({ machines: machines.map(versionJson) }, () =>
    machines.length === 0 ? '' : versionsTable(context, machines),
  );
}

async function get(
  context: Context,
  space: string,
  { version, output }: GetOptions,
): Promise<void> {
  const { machine, versions, module } = await context.withClient((client) =>
    client.machines.get(space, {
      ...context.call,
      includeModule: output !== undefined,
      ...(version === undefined ? {} : { version }),
    }),
  );
  if (output !== undefined) await writeModule(output, module!);
  const json = { machine: versionJson(machine), versions: versions.map(versionJson) };
  await context.show(json, () => versionsTable(context, versions));
  if (output !== undefined) context.note(`version ${machine.version} is in ${output}`);
}

function versionsTable(context: Context, versions: readonly MachineVersion[]): string {
  const columns = [
    { head: 'SPACE' },
    { head: 'VERSION', align: 'right' as const },
    { head: 'SIZE', align: 'right' as const },
    { head: 'DEPLOYED' },
    { head: 'BY' },
    { head: 'SHA-256' },
    { head: 'CHANNELS' },
  ];
  const rows = versions.map((one) => [
    one.space,
    String(one.version),
    bytes(one.moduleBytes),
    moment(one.deployedAt),
    printable(one.principal) || '-',
    one.hash.slice(0, HASH_CHARACTERS),
    one.channels.join(', '),
  ]);
  return table(columns, rows, context.paint.dim);
}

async function writeModule(path: string, module: Uint8Array): Promise<void> {
  try {
    await writeFile(path, module);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DeltabaseError('INVALID_ARGUMENT', `cannot write ${path}: ${reason}`, { cause });
  }
}
