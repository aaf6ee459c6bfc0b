// deltabase machines: what is deployed.

import { writeFile } from 'node:fs/promises';
import { DeltabaseError } from '@deltabase/base';
import type { MachineVersion } from '@deltabase/client';
import type { Command } from 'commander';
import { type CommonOptions, Context, whole, withCommon } from '../context.js';
import { table } from '../format/table.js';
import { bytes, moment } from '../format/values.js';
import type { Io } from '../io.js';

interface GetOptions extends CommonOptions {
  readonly version?: number;
  readonly output?: string;
}

/** Enough of a hash to tell modules apart. */
const HASH_CHARACTERS = 12;

export function addMachines(program: Command, io: Io): void {
  const machines = program.command('machines').description('show what is deployed');
  withCommon(machines.command('list'))
    .description('the latest version of every machine')
    .addHelpText(
      'after',
      '\nExamples:\n  deltabase machines list\n  deltabase machines list --json',
    )
    .action((options: CommonOptions) => list(new Context(io, options)));
  withCommon(machines.command('get <space>'))
    .description('a machine and all its versions')
    .option('--version <number>', 'this version instead of the latest', whole)
    .option('-o, --output <file>', 'write the module to a file')
    .addHelpText(
      'after',
      `
Examples:
  deltabase machines get counter
  deltabase machines get counter --version 2 --output counter-2.wasm`,
    )
    .action((space: string, options: GetOptions) => get(new Context(io, options), space, options));
}

async function list(context: Context): Promise<void> {
  const { deadlineMs } = context;
  const machines = await context.withClient((client) => client.machines.list({ deadlineMs }));
  await context.show({ machines }, () =>
    machines.length === 0
      ? 'nothing is deployed: deltabase deploy SPACE MODULE.wasm\n'
      : versionsTable(context, machines),
  );
}

async function get(
  context: Context,
  space: string,
  { version, output }: GetOptions,
): Promise<void> {
  const { machine, versions, module } = await context.withClient((client) =>
    client.machines.get(space, {
      deadlineMs: context.deadlineMs,
      includeModule: output !== undefined,
      ...(version === undefined ? {} : { version }),
    }),
  );
  if (output !== undefined) await writeModule(output, module!);
  await context.show({ machine, versions }, () => {
    const written = output === undefined ? '' : `version ${machine.version} is in ${output}\n`;
    return versionsTable(context, versions) + written;
  });
}

function versionsTable(context: Context, versions: readonly MachineVersion[]): string {
  const columns = [
    { head: 'SPACE' },
    { head: 'VERSION', align: 'right' as const },
    { head: 'SIZE', align: 'right' as const },
    { head: 'DEPLOYED (UTC)' },
    { head: 'BY' },
    { head: 'SHA-256' },
    { head: 'CHANNELS' },
  ];
  const rows = versions.map((one) => [
    one.space,
    String(one.version),
    bytes(one.moduleBytes),
    moment(one.deployedAt),
    one.principal || '-',
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
