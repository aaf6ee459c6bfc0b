// The real command in processes of its own, as a shell would run it.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** The file that package.json names as the command. */
export const BIN = fileURLToPath(new URL('../../../bin/deltabase.mjs', import.meta.url));

const LIMIT_MS = 60_000;

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Standard input; empty by default. */
  readonly input?: string | Uint8Array;
}

/** A command that runs. */
export class Running {
  stdout = '';
  stderr = '';
  readonly process: ChildProcess;
  readonly #ended: Promise<number | null>;

  /** `stdin` stays open until it is ended or `end` is called. */
  constructor(command: string, args: readonly string[], { env, cwd }: RunOptions = {}) {
    // None of the runner's own variables: they ask for colors, and more.
    const clean = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env };
    this.process = spawn(command, args, { env: clean, cwd, stdio: ['pipe', 'pipe', 'pipe'] });
    const { stdin, stdout, stderr } = this.process;
    // It may end before it has read everything.
    stdin!.on('error', () => {});
    stdout!.setEncoding('utf8').on('data', (text) => {
      this.stdout += text;
    });
    stderr!.setEncoding('utf8').on('data', (text) => {
      this.stderr += text;
    });
    const timer = setTimeout(() => this.process.kill('SIGKILL'), LIMIT_MS);
    this.#ended = once(this.process, 'close').then(([code]) => {
      clearTimeout(timer);
      return code as number | null;
    });
  }

  /** The lines of results so far that are whole. */
  get lines(): string[] {
    return this.stdout.split('\n').slice(0, -1);
  }

  /** Waits until `is` holds; throws what was written if it does not come to that. */
  async until(is: () => boolean): Promise<void> {
    while (!is()) {
      if (this.process.exitCode !== null || this.process.signalCode !== null) {
        throw new Error(`it ended before: ${this.stdout}${this.stderr}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  /** Ends standard input and waits for the end of the process; its code is null if a signal ended it. */
  async end(input: string | Uint8Array = ''): Promise<Ran> {
    this.process.stdin!.end(input);
    return this.ended();
  }

  async ended(): Promise<Ran> {
    const code = await this.#ended;
    return { code, stdout: this.stdout, stderr: this.stderr };
  }
}

/** Commands against one place. */
export class Cli {
  readonly #options: RunOptions;

  constructor(options: RunOptions) {
    this.#options = options;
  }

  start(...args: readonly string[]): Running {
    return new Running(process.execPath, [BIN, ...args], this.#options);
  }

  /** Runs a command to its end. */
  run(...args: readonly string[]): Promise<Ran> {
    return this.start(...args).end();
  }

  /** Runs a command to its end with something to read. */
  runWith(input: string | Uint8Array, ...args: readonly string[]): Promise<Ran> {
    return this.start(...args).end(input);
  }

  /** Runs a command that must succeed and say nothing but its results. */
  async text(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(...args);
    if (code === 0 && stderr === '') return stdout;
    throw new Error(`deltabase ${args.join(' ')} ended with ${code}: ${stdout}${stderr}`);
  }

  /** The objects that a command gives with --json, which must succeed. */
  async json(...args: readonly string[]): Promise<Loose[]> {
    const text = await this.text(...args, '--json');
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  }
}

// biome-ignore lint/suspicious/noExplicitAny: whatever a command gives.
export type Loose = any;
