// `npm start` as a user runs it: in a process group of its own, as a terminal does, with data and ports that are free.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './scratch.js';
import { ROOT } from './workspace.js';

/** A folder for data, and the first of as many free ports in a row as `npm start` uses. */
export interface StartPlace {
  readonly data: string;
  readonly port: number;
}

const PORTS = 6;
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;

/** Runs `use` with a place that is gone afterwards. */
export async function withStartPlace(use: (place: StartPlace) => Promise<void>): Promise<void> {
  const data = await mkdtemp(join(tmpdir(), 'deltabase-'));
  try {
    await use({ data, port: await freePorts() });
  } finally {
    await rm(data, { recursive: true, force: true });
  }
}

export class StartRun {
  stdout = '';
  stderr = '';
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | NodeJS.Signals>;

  /** Runs a shell command from the workspace's root; the options of the place are added. */
  constructor(command: string, { data, port }: StartPlace) {
    const options = `--data ${data} --port ${port}`;
    const separator = command.startsWith('npm ') && !command.includes(' -- ') ? '-- ' : '';
    // In a group of its own, which Ctrl-C reaches as a whole.
    this.#child = spawn(`${command} ${separator}${options}`, {
      cwd: ROOT,
      shell: true,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: plainEnvironment(),
    });
    this.#child.stdout!.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString();
    });
    this.#child.stderr!.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    this.#ended = once(this.#child, 'close').then(([code, signal]) => code ?? signal);
  }

  /** Its exit code, or the signal that ended it. */
  get ended(): Promise<number | NodeJS.Signals> {
    return this.#ended;
  }

  /** The processes of the nodes, as it shows them. */
  get nodes(): readonly number[] {
    const rows = this.stdout.matchAll(/^ +\d+ +127\.0\.0\.1:\d+ +(\d+)$/gm);
    return [...rows].map(([, pid]) => Number(pid));
  }

  /** Waits until it shows `text`; rejects if it ends before. */
  async shows(text: string | RegExp): Promise<void> {
    let isOver = false;
    void this.#ended.then(() => {
      isOver = true;
    });
    await until(`npm start shows ${text}`, () => {
      if (this.stdout.search(text) >= 0) return true;
      if (isOver) throw new Error(`it ended without ${text}:\n${this.stdout}\n${this.stderr}`);
      return false;
    });
  }

  /** Sends a signal to all processes of its group. The nodes are in others. */
  signal(signal: NodeJS.Signals): void {
    process.kill(-this.#child.pid!, signal);
  }

  /** Ends what still runs of it. */
  async end(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.signal('SIGKILL');
    await this.#ended;
    for (const pid of this.nodes) await until(`process ${pid} ends`, () => !isAlive(pid));
  }
}

/** Runs a shell command from the root; its exit code and what it printed. */
export async function runShell(
  command: string,
  env: Readonly<Record<string, string>>,
): Promise<{ code: number; printed: string }> {
  const child = spawn(command, {
    cwd: ROOT,
    shell: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...plainEnvironment(), ...env },
  });
  let printed = '';
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
    });
  }
  const [code] = await once(child, 'close');
  return { code, printed };
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** The lines of the shell blocks in a section of a document. */
export async function shellLinesOf(file: string, section: string): Promise<string[]> {
  const text = await readFile(join(ROOT, file), 'utf8');
  const [, rest] = text.split(`\n## ${section}\n`);
  const [body] = rest!.split('\n## ');
  const blocks = [...body!.matchAll(/```sh\n([\s\S]*?)```/g)];
  return blocks.flatMap(([, block]) => block!.trim().split('\n'));
}

/** Without what a developer may have set, and without colors. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('DELTABASE_') && !name.endsWith('_COLOR'),
  );
  return Object.fromEntries(kept);
}

async function freePorts(): Promise<number> {
  // Tests that run at the same time begin to look at different places.
  const first = FIRST_PORT + ((process.pid * PORTS) % (LAST_PORT - FIRST_PORT));
  for (let port = first; port < LAST_PORT + PORTS; port += PORTS) {
    const ports = Array.from({ length: PORTS }, (_, at) => port + at);
    if ((await Promise.all(ports.map(isFree))).every(Boolean)) return port;
  }
  throw new Error(`there are no ${PORTS} free ports in a row from ${first} on`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  } catch {
    return false;
  }
  await once(server.close(), 'close');
  return true;
}
