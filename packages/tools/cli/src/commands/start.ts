// deltabase start: runs a node. All its options are the server's; they are passed on as they are.

import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import type { Io } from '../io.js';

/** Loaded when it is needed: no other command does. */
type Server = typeof import('@deltabase/server');

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));

export function addStart(program: Command, io: Io, endWith: (code: number) => void): void {
  program
    .command('start')
    .summary('run a node of a cluster')
    .allowUnknownOption()
    .allowExcessArguments()
    .helpOption(false)
    .action(async (_options: unknown, { args: flags }: Command) => {
      const server = await import('@deltabase/server');
      if (!flags.includes('--help') && !flags.includes('-h'))
        endWith(await start(flags, io, server));
      else await io.out(startHelp(server));
    });
}

function startHelp({ optionsHelp }: Server): string {
  return `Usage: deltabase start [options]

Runs a node of a cluster, in the foreground. SIGTERM and Ctrl-C stop it in
order, a second one at once.

Options:
${optionsHelp()}

Examples:
  deltabase start
  deltabase start --data-dir /var/lib/deltabase --listen 0.0.0.0:7410
  deltabase start --node 2 --listen 10.0.0.2:7410 --peer-listen 10.0.0.2:7411 \\
    --members 1=10.0.0.1:7411/10.0.0.1:7410,2=10.0.0.2:7411/10.0.0.2:7410
`;
}

/** Runs a node until it ends; returns the exit code. Node.js takes some flags only when it starts. */
async function start(
  flags: readonly string[],
  io: Io,
  { NODE_FLAGS, runServer }: Server,
): Promise<number> {
  if (NODE_FLAGS.every((flag) => process.execArgv.includes(flag))) {
    stopWithParent();
    await runServer(flags, io.env);
    return new Promise(() => {});
  }
  const args = [...process.execArgv, ...NODE_FLAGS, MAIN, 'start', ...flags];
  // In a group of its own: Ctrl-C reaches it once, through this process.
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    detached: true,
    env: { ...io.env },
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => child.kill(signal));
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal!]));
  });
}

/** Whoever started this process and dies does not leave it behind, nor if that was before now. */
function stopWithParent(): void {
  const stop = (): boolean => process.kill(process.pid, 'SIGTERM');
  // Not a boolean where there never was a channel.
  if (process.connected === false) stop();
  process.once('disconnect', stop);
  process.channel?.unref();
}
