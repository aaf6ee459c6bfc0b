// A copy of the workspace to break things in: sources and what is compiled of them; packages from outside are linked,
// ours lead into the copy.

import { type ChildProcess, spawn } from 'node:child_process';
import {
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../workspace.js';
import { broken, type Mutant } from './lists.js';

/** How a command ended; it has no code if it was ended from here. */
export interface Ended {
  readonly code: number | undefined;
  readonly output: string;
}

export interface RunLimits {
  readonly seconds: number;
  /** Output that ends it. */
  readonly enough?: RegExp;
}

const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;
const COMPILE_SECONDS = 120;

export class Scratch {
  readonly #root = mkdtempSync(join(tmpdir(), 'deltabase-mutants-'));
  /** The package that holds a broken or not yet mended file. */
  #unsound: string | undefined;
  #mend = (): void => {};
  #running: ChildProcess | undefined;

  constructor() {
    for (const name of readdirSync(ROOT)) {
      if (name !== 'node_modules' && !name.startsWith('.')) this.#copy(name);
    }
    linkModules(join(ROOT, 'node_modules'), join(this.#root, 'node_modules'));
    allowUnused(join(this.#root, 'tsconfig.base.json'));
  }

  /** Makes the mistake and compiles it. Returns what is in the way of that. */
  async breakWith(mutant: Mutant): Promise<string | undefined> {
    const path = join(this.#root, mutant.file);
    const sound = readFileSync(path, 'utf8');
    const text = broken(sound, mutant);
    if (text === undefined) return `its lines are not exactly once in ${mutant.file}`;
    this.#mend = () => writeFileSync(path, sound);
    writeFileSync(path, text);
    const { code, output } = await this.#compile(packageOf(mutant.file));
    return code === 0 ? undefined : `it does not compile: ${output}`;
  }

  /** Compiles what was mended: nothing is broken then. */
  async makeSound(): Promise<void> {
    if (this.#unsound === undefined) return;
    const { code, output } = await this.#compile(this.#unsound);
    if (code !== 0) throw new Error(`the mended copy does not compile: ${output}`);
    this.#unsound = undefined;
  }

  /** Takes the mistake back; the next one is compiled together with that. */
  mend(): void {
    this.#mend();
    this.#mend = () => {};
  }

  /** Runs a compiled program of the copy, for at most so long, or until it says what is enough to know. */
  node(parameters: readonly string[], limits: RunLimits): Promise<Ended> {
    return this.#run(process.execPath, ['--enable-source-maps', ...parameters], limits);
  }

  /** Ends what runs and removes the copy. */
  remove(): void {
    if (this.#running?.exitCode === null) endGroup(this.#running);
    rmSync(this.#root, { recursive: true, force: true });
  }

  async #compile(folder: string): Promise<Ended> {
    const folders = new Set([this.#unsound ?? folder, folder]);
    this.#unsound = folder;
    const tsc = join(ROOT, 'node_modules', '.bin', 'tsc');
    return this.#run(tsc, ['-b', ...folders], { seconds: COMPILE_SECONDS });
  }

  #run(command: string, parameters: readonly string[], limits: RunLimits): Promise<Ended> {
    const { seconds, enough } = limits;
    return new Promise((resolve, reject) => {
      // A group of its own: what a test has started ends with it.
      const child = spawn(command, parameters, {
        detached: true,
        cwd: this.#root,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      this.#running = child;
      let output = '';
      const add = (chunk: string): void => {
        if (output.length < OUTPUT_BYTES_MAX) output += chunk;
        if (enough?.test(output)) endGroup(child);
      };
      child.stdout.setEncoding('utf8').on('data', add);
      child.stderr.setEncoding('utf8').on('data', add);
      const timer = setTimeout(() => endGroup(child), seconds * 1000);
      child.on('error', reject);
      child.on('exit', () => endGroup(child));
      child.on('close', (code) => {
        clearTimeout(timer);
        resolve({ code: code ?? undefined, output });
      });
    });
  }

  #copy(name: string): void {
    cpSync(join(ROOT, name), join(this.#root, name), {
      recursive: true,
      preserveTimestamps: true,
      filter: (from) => !from.split('/').includes('node_modules') && !from.includes('/.data'),
    });
  }
}

/** What a process was the first of, and may have ended before. */
function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch (thrown) {
    const isGone = thrown instanceof Error && 'code' in thrown && thrown.code === 'ESRCH';
    if (!isGone) throw thrown;
  }
}

function linkModules(from: string, to: string): void {
  mkdirSync(to);
  for (const name of readdirSync(from)) {
    const path = join(from, name);
    const isLink = lstatSync(path).isSymbolicLink();
    if (name.startsWith('@') && !isLink) linkModules(path, join(to, name));
    else symlinkSync(isLink ? readlinkSync(path) : path, join(to, name));
  }
}

/** A broken line may leave something unused. */
function allowUnused(config: string): void {
  const text = readFileSync(config, 'utf8');
  writeFileSync(config, text.replace(/"noUnused(\w+)": true/g, '"noUnused$1": false'));
}

/** The folder of the package that a source belongs to. */
function packageOf(file: string): string {
  return file.slice(0, file.indexOf('/src/'));
}
