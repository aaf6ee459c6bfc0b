// A process of a cluster that serves clients: what it is called with, and the process if it runs. It can be killed, paused and
// started again; none outlives this one.

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const START_MS = 30_000;
const LOG_LINES_KEPT = 200;

export interface ProcessSetup {
  /** What it is called in errors, such as `node 2`. */
  readonly label: string;
  /** Where clients reach it, host:port. */
  readonly clientAddress: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

export class ServingProcess {
  readonly #setup: ProcessSetup;
  readonly #log: string[] = [];
  readonly #hearers = new Map<RegExp, (line: string) => void>();
  #child: ChildProcess | undefined;
  #exited: Promise<number | null> = Promise.resolve(null);

  constructor(setup: ProcessSetup) {
    this.#setup = setup;
  }

  get label(): string {
    return this.#setup.label;
  }

  get clientAddress(): string {
    return this.#setup.clientAddress;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get isUp(): boolean {
    return this.#child !== undefined;
  }

  /** The last lines that it logged since it was started last. */
  get log(): readonly string[] {
    return this.#log;
  }

  /** Resolves with the exit code when the process that was started last is gone; null: it was killed. */
  get exited(): Promise<number | null> {
    return this.#exited;
  }

  /** Starts the process; resolves when it listens, rejects with its last words if it ends before. */
  async start(): Promise<void> {
    this.#log.length = 0;
    const child = this.#spawn();
    const started = this.#watchOutput(child);
    const timer = setTimeout(() => child.kill('SIGKILL'), START_MS);
    try {
      await started;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends a signal and waits until the process is gone. Resolves with its exit code, null if it was killed. */
  async stop(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child;
    if (child === undefined) return null;
    child.kill(signal);
    return await this.#exited;
  }

  /** Stops the process's clock, or lets it run on. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(signal);
  }

  #spawn(): ChildProcess {
    const { command, environment } = this.#setup;
    const [program, ...args] = command;
    const env = { ...process.env, ...environment };
    const child = spawn(program!, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
    this.#child = child;
    LIVING.add(child);
    this.#exited = new Promise((resolve) => {
      const gone = (code: number | null): void => {
        LIVING.delete(child);
        if (this.#child === child) this.#child = undefined;
        resolve(code);
      };
      child.once('exit', gone);
      // Its program could not be run.
      child.once('error', () => child.pid ?? gone(null));
    });
    return child;
  }

  /** Resolves as soon as it logs a line that matches; the process that was started last, from now on. */
  said(words: RegExp): Promise<void> {
    return new Promise((resolve) => {
      this.hear(words, () => {
        this.#hearers.delete(words);
        resolve();
      });
    });
  }

  /** Is told of every line that matches, of all its lives, from now on. Once for each `words`. */
  hear(words: RegExp, told: (line: string) => void): void {
    this.#hearers.set(words, told);
  }

  #noteLine(line: string): void {
    this.#log.push(line);
    if (this.#log.length > LOG_LINES_KEPT) this.#log.shift();
    for (const [words, told] of this.#hearers) if (words.test(line)) told(line);
  }

  #watchOutput(child: ChildProcess): Promise<void> {
    return new Promise((resolve, reject) => {
      for (const stream of [child.stdout!, child.stderr!]) {
        createInterface(stream).on('line', (line) => {
          this.#noteLine(line);
          if (line.includes('"started"')) resolve();
        });
      }
      child.once('exit', (code, signal) => {
        const words = this.#log.slice(-5).join('\n');
        reject(new Error(`${this.label} ended (${code ?? signal}) before it listened:\n${words}`));
      });
      child.once('error', reject);
    });
  }
}

/** Every process that runs, so that none outlives this one. */
const LIVING = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of LIVING) child.kill('SIGKILL');
});
