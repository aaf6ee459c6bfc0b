// Namespaces of Linux, of mounts or of the network, for parts of a real cluster. Each is held by a process that ends
// with this one, and so does whatever runs in it: the kernel then unmounts and removes what was made there, however
// this process ends. Needs root.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';

export type NamespaceKind = 'mount' | 'net';

const execute = promisify(execFile);

export class Namespace {
  readonly #kind: NamespaceKind;
  readonly #holder: ChildProcess;

  /** Makes one, as this process sees the world now, or with no network at all. */
  static async open(kind: NamespaceKind): Promise<Namespace> {
    const options = kind === 'mount' ? ['--propagation', 'private'] : [];
    // It lasts until its input ends.
    const args = [`--${kind}`, ...options, 'cat'];
    const holder = spawn('unshare', args, { stdio: ['pipe', 'pipe', 'pipe'] });
    const words: string[] = [];
    holder.stderr.on('data', (bytes: Buffer) => words.push(bytes.toString()));
    const failed = once(holder, 'close').then(() => {
      throw new Error(`no ${kind} namespace can be made: ${words.join('').trim()}`);
    });
    // What it is told comes back once it is in the namespace.
    holder.stdin.on('error', () => {});
    holder.stdin.write('\n');
    await Promise.race([once(holder.stdout, 'data'), failed]);
    failed.catch(() => {});
    return new Namespace(kind, holder);
  }

  private constructor(kind: NamespaceKind, holder: ChildProcess) {
    this.#kind = kind;
    this.#holder = holder;
  }

  /** The process that holds it, by which the kernel's tools name it. */
  get pid(): number {
    return this.#holder.pid!;
  }

  /** What a command is given to, to run here, and to end when this process does. */
  get wrapper(): readonly string[] {
    const enter = `--${this.#kind}=/proc/${this.pid}/ns/${this.#kind === 'net' ? 'net' : 'mnt'}`;
    return ['setpriv', '--pdeathsig', 'KILL', 'nsenter', enter, '--'];
  }

  /** Where this process finds what is `path` in it. */
  seen(path: string): string {
    return `/proc/${this.pid}/root${path}`;
  }

  /** Runs a command in it; rejects with what it says if it fails. */
  async run(program: string, args: readonly string[], input = ''): Promise<string> {
    return await runCommand([...this.wrapper, program, ...args], input);
  }

  /** Lets go of it; it is gone when nothing runs in it any more. */
  async close(): Promise<void> {
    if (this.#holder.exitCode !== null || this.#holder.signalCode !== null) return;
    const gone = once(this.#holder, 'close');
    this.#holder.stdin!.end();
    await gone;
  }
}

/** Runs a command; resolves with what it writes, rejects with what it says if it fails. */
export async function runCommand(command: readonly string[], input = ''): Promise<string> {
  const [program, ...args] = command;
  const running = execute(program!, args);
  running.child.stdin!.on('error', () => {});
  running.child.stdin!.end(input);
  const { stdout } = await running;
  return stdout;
}

/** Which of these programs are not here. */
export async function missingPrograms(programs: readonly string[]): Promise<string[]> {
  const look = 'for name; do command -v "$name" >/dev/null || echo "$name"; done';
  const missing = await runCommand(['sh', '-c', look, 'sh', ...programs]);
  return missing.split('\n').filter(Boolean);
}

/** What the kernel and its tools say of what they do not have, or may not do here. */
const LACKS =
  /not permitted|permission denied|not supported|unknown|no such (?:file|device)|loop device|could not process rule/i;

/** Tries something that this machine may not allow. Why it does not, or `undefined`; rejects if it went wrong otherwise. */
export async function whyNot(
  what: string,
  trial: () => Promise<void>,
): Promise<string | undefined> {
  try {
    await trial();
    return undefined;
  } catch (thrown) {
    const words = thrown instanceof Error ? thrown.message : String(thrown);
    if (!LACKS.test(words)) throw thrown;
    return `no ${what}: ${words.trim().replaceAll('\n', ', ')}`;
  }
}
