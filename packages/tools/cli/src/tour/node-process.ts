// One node of the tour: `deltabase start` in a process of its own. What it logs goes to a file beside its data, which
// begins anew with each `npm start`; the file of the one before is kept.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NODE_FLAGS } from '@deltabase/server';
import type { NodeAddress } from './addresses.js';

/** How a node's process ended, without being told to. */
export interface Death {
  readonly node: NodeProcess;
  readonly pid: number;
  /** `with exit code 5`, `by SIGKILL`. */
  readonly how: string;
  /** The last lines that it logged. */
  readonly lastWords: readonly string[];
}

export interface NodeProcessOptions {
  readonly address: NodeAddress;
  readonly members: readonly NodeAddress[];
  /** The folder of all nodes. */
  readonly data: string;
  readonly env: NodeJS.ProcessEnv;
  readonly died: (death: Death) => void;
}

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));
const LAST_WORDS = 5;
const LINE_CHARACTERS_MAX = 300;

export class NodeProcess {
  readonly id: number;
  readonly clientAddress: string;
  readonly logFile: string;
  readonly #flags: readonly string[];
  readonly #options: NodeProcessOptions;
  #child: ChildProcess | undefined;
  #isStopping = false;

  constructor(options: NodeProcessOptions) {
    const { address, members, data } = options;
    this.id = address.node;
    this.clientAddress = address.client;
    this.logFile = join(data, `node-${this.id}.log`);
    this.#options = options;
    const named = members.map(({ node, peer, client }) => `${node}=${peer}/${client}`);
    this.#flags = [
      `--node=${this.id}`,
      `--data-dir=${join(data, `node-${this.id}`)}`,
      `--listen=${address.client}`,
      `--peer-listen=${address.peer}`,
      `--members=${named.join(',')}`,
    ];
    if (existsSync(this.logFile)) renameSync(this.logFile, `${this.logFile}.before`);
  }

  /** Its process; `undefined` while there is none. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /**
   * Starts the process. It is in a group of its own, so that Ctrl-C reaches this one only, which then stops all
   * nodes in order. It ends by itself when the channel to this process closes, even after a kill -9.
   */
  start(): void {
    const log = openSync(this.logFile, 'a');
    const args = ['--enable-source-maps', ...NODE_FLAGS, MAIN, 'start', ...this.#flags];
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', log, log, 'ipc'],
      detached: true,
      env: this.#options.env,
    });
    closeSync(log);
    this.#child = child;
    child.once('error', (error) => this.#ended(child, `at once (${error.message})`));
    child.once('exit', (code, signal) => {
      this.#ended(child, signal === null ? `with exit code ${code}` : `by ${signal}`);
    });
  }

  /** Stops it in order; the hard way if it has not gone after `graceMs`. Resolves when it is gone. */
  async stop(graceMs: number): Promise<void> {
    this.#isStopping = true;
    const child = this.#child;
    if (child === undefined) return;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
    await exited;
    clearTimeout(timer);
  }

  /** Ends it at once. */
  kill(): void {
    this.#isStopping = true;
    this.#child?.kill('SIGKILL');
  }

  #ended(child: ChildProcess, how: string): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    if (this.#isStopping) return;
    const pid = child.pid ?? 0;
    this.#options.died({ node: this, pid, how, lastWords: lastLines(this.logFile) });
  }
}

function lastLines(file: string): string[] {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  return lines.slice(-LAST_WORDS).map((line) => line.slice(0, LINE_CHARACTERS_MAX));
}
