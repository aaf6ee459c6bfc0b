// Commands that are a process of the cluster: they run in the foreground until they are stopped.

import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Io } from './io.js';

export interface Foreground {
  /** Flags of Node.js that the process runs under. */
  readonly nodeFlags: readonly string[];
  /** Returns when it has started. */
  run(flags: readonly string[], environment: Io['env']): Promise<void>;
}

const MAIN = fileURLToPath(new URL('main.js', import.meta.url));

/**
 * Has `run` run in the foreground until it ends; returns the exit code. Node.js takes some flags only when it starts,
 * so the command is run again with them, as `name`.
 */
export async function runInForeground(
  name: string,
  flags: readonly string[],
  io: Io,
  { nodeFlags, run }: Foreground,
): Promise<number> {
  if (nodeFlags.every((flag) => process.execArgv.includes(flag))) {
    stopWithParent();
    await run(flags, io.env);
    return new Promise(() => {});
  }
  const args = [...process.execArgv, ...nodeFlags, MAIN, name, ...flags];
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
