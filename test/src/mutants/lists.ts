// The lists of test/mutants: mistakes to make on purpose, each a few lines of a source that are replaced, and where the
// tests are that must notice. docs/testing.md says how they are written.

import { readdirSync } from 'node:fs';
import { ROOT, readText } from '../workspace.js';

/** A mistake, and who must notice it. */
export interface Mutant {
  readonly name: string;
  /** A number of docs/raft.md's pitfalls, "contract 10" and such, or an invariant of ARCHITECTURE.md. */
  readonly pitfall: string;
  /** The source, from the workspace's root. */
  readonly file: string;
  /** Whole lines of it, found exactly once, and what stands there instead. */
  readonly before: string;
  readonly after: string;
  /** Folders of compiled tests, from the root. */
  readonly tests: readonly string[];
  /** Seeds of the simulation to try, `[first, last]`; `undefined`: none. */
  readonly seeds: readonly [number, number] | undefined;
  /** What to try first: `seeds`, or the test files whose path holds it. */
  readonly killer: string | undefined;
}

const FOLDER = 'test/mutants';

/** Every mutant of every list, in order. Throws for a list that cannot be read. */
export function readMutants(): Mutant[] {
  const lists = readdirSync(`${ROOT}/${FOLDER}`).sort();
  return lists.flatMap((list) => parseList(readText(`${FOLDER}/${list}`), list));
}

/** The mutants of a list: blocks between blank lines, the first of which says who must notice. */
export function parseList(text: string, list: string): Mutant[] {
  const blocks = text
    .split(/\n{2,}/)
    .map((block) => block.split('\n').filter((line) => line !== '' && !line.startsWith('#')))
    .filter((lines) => lines.length > 0);
  const head = new Block(blocks.shift() ?? [], list);
  const tests = head.field('tests').split(' ');
  const seeds = head.maybeField('seeds')?.split('-').map(Number);
  const killer = head.maybeField('killer');
  head.end();
  return blocks.map((lines) => {
    const block = new Block(lines, list);
    const mutant = {
      name: block.field('mutant'),
      pitfall: block.field('pitfall'),
      file: block.field('file'),
      killer: block.maybeField('killer') ?? killer,
      before: block.marked('-'),
      after: block.marked('+'),
      tests,
      seeds: seeds && ([seeds[0]!, seeds[1]!] as const),
    };
    block.end();
    return mutant;
  });
}

/** `source` with the mistake in it; `undefined` if the lines are not exactly once in it. */
export function broken(source: string, { before, after }: Mutant): string | undefined {
  const text = `\n${source}`;
  const at = text.indexOf(`\n${before}\n`);
  if (at < 0 || text.indexOf(`\n${before}\n`, at + 1) >= 0) return undefined;
  return `${text.slice(0, at)}\n${after}${text.slice(at + 1 + before.length)}`.slice(1);
}

class Block {
  readonly #lines: string[];
  readonly #list: string;
  readonly #first: string;

  constructor(lines: readonly string[], list: string) {
    this.#lines = [...lines];
    this.#list = list;
    this.#first = lines[0] ?? 'its beginning';
  }

  field(name: string): string {
    return this.maybeField(name) ?? this.#fail(`"${name}" is missing`);
  }

  maybeField(name: string): string | undefined {
    const at = this.#lines.findIndex((line) => line.startsWith(`${name} `));
    if (at < 0) return undefined;
    return this.#lines.splice(at, 1)[0]!.slice(name.length + 1);
  }

  /** The lines behind a sign. */
  marked(sign: '-' | '+'): string {
    const marked = this.#lines.filter((line) => line.startsWith(sign));
    if (marked.length === 0) this.#fail(`no line begins with ${sign}`);
    for (const line of marked) this.#lines.splice(this.#lines.indexOf(line), 1);
    return marked.map((line) => line.slice(1)).join('\n');
  }

  /** Nothing may be left. */
  end(): void {
    if (this.#lines.length > 0) this.#fail(`what is "${this.#lines[0]}"?`);
  }

  #fail(why: string): never {
    throw new Error(`${this.#list}: ${why}, near "${this.#first}"`);
  }
}
