// deltabase deploy: makes a module the machine of a space.

import type { Command } from 'commander';
import { type CommonOptions, Context, withCommon } from '../context.js';
import { versionJson } from '../format/json.js';
import { bytes } from '../format/values.js';
import { readModule } from '../input.js';
import type { Io } from '../io.js';
import { whole } from '../parse.js';

interface DeployOptions extends CommonOptions {
  readonly expect?: number;
}

export function addDeploy(program: Command, io: Io): void {
  const command = program
    .command('deploy <space> <module>')
    .summary('make a module the machine of a space')
    .description('Makes a WebAssembly module the machine of a space.')
    .option('--expect <version>', 'only if this is the latest version; 0: none yet', whole);
  withCommon(command)
    .addHelpText(
      'after',
      `
Messages sent after it has ended run the new version. To deploy what is deployed
already changes nothing. "-" reads the module from standard input.

Examples:
  deltabase deploy counter examples/counter/build/machine.wasm
  deltabase deploy counter new.wasm --expect 1`,
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
  const module = await readModule(path, context.io);
  const expected = expectedVersion === undefined ? {} : { expectedVersion };
  const result = await context.withClient((client) =>
    client.machines.deploy(space, module, { ...context.call, ...expected }),
  );
  const { version: deployed, unchanged } = result;
  await context.show({ ...versionJson(deployed), unchanged }, () => {
    const { version, moduleBytes, channels } = deployed;
    const what = `${context.paint.bold(space)} version ${version}`;
    const how = `${bytes(moduleBytes)}, channels ${channels.join(', ')}`;
    return unchanged ? `${what} was deployed already\n` : `deployed ${what} (${how})\n`;
  });
}
