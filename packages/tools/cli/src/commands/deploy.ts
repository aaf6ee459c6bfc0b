// deltabase deploy: makes a module the machine of a space.

import type { Command } from 'commander';
import { type CommonOptions, Context, whole, withCommon } from '../context.js';
import { bytes } from '../format/values.js';
import { readBytesFile } from '../input.js';
import type { Io } from '../io.js';

interface DeployOptions extends CommonOptions {
  readonly expect?: number;
}

export function addDeploy(program: Command, io: Io): void {
  withCommon(program.command('deploy <space> <module.wasm>'))
    .description('make a WebAssembly module the machine of a space')
    .option('--expect <version>', 'only if this is the latest version; 0: none yet', whole)
    .addHelpText(
      'after',
      `
Examples:
  deltabase deploy counter examples/counter/build/machine.wasm
  deltabase deploy counter new.wasm --expect 3`,
    )
    .action((space: string, path: string, options: DeployOptions) =>
      deploy(new Context(io, options), space, path, options.expect),
    );
}

async function deploy(
  context: Context,
  space: string,
  path: string,
  expectedVersion: number | undefined,
): Promise<void> {
  const module = await readBytesFile(path);
  const { deadlineMs } = context;
  const options = { deadlineMs, ...(expectedVersion === undefined ? {} : { expectedVersion }) };
  const result = await context.withClient((client) =>
    client.machines.deploy(space, module, options),
  );
  await context.show(result, () => {
    const { version, moduleBytes, channels } = result.version;
    const what = `${context.paint.bold(space)} version ${version}`;
    const how = `${bytes(moduleBytes)}, channels ${channels.join(', ')}`;
    return result.unchanged ? `${what} was deployed already\n` : `deployed ${what} (${how})\n`;
  });
}
