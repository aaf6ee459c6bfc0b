// What every benchmark shares: how it is described, how runs are repeated and summed up, and the result file
// that tables are made from. A result says what was run, on what, from which commit and seed.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { dirname, join } from 'node:path';

/** One benchmark. */
export interface Benchmark {
  readonly name: string;
  /** What it is to find out. */
  readonly question: string;
  readonly workload: string;
  /** What its figures do not say. */
  readonly doesNotShow: string;
  run(context: BenchContext): Promise<Measured>;
}

export interface BenchContext {
  /** Small parameters, one run: to see that it works. */
  readonly smoke: boolean;
  readonly seed: number;
  /** Other systems that are to be measured in the same run, of those that the benchmark knows. */
  readonly peers: readonly string[];
  /** Tells the person who waits. */
  progress(line: string): void;
}

/** What a benchmark measured: rows of a table, each with the same columns. */
export interface Measured {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
  /** Said below the table: what was skipped and why, ratios that matter. */
  readonly notes: readonly string[];
  /** A hash of what the documents were in the end, equal in every run of the same seed. */
  readonly checksum: string;
  /** Files beside the result, such as pictures: name to content. */
  readonly files?: Readonly<Record<string, string>>;
}

/** The content of a result file. */
export interface ResultFile extends Measured {
  readonly name: string;
  readonly question: string;
  readonly workload: string;
  readonly doesNotShow: string;
  readonly smoke: boolean;
  readonly seed: number;
  readonly commit: string;
  readonly machine: string;
  readonly node: string;
  readonly date: string;
}

/** Runs a benchmark and gives its result file. */
export async function runBenchmark(
  benchmark: Benchmark,
  context: BenchContext,
): Promise<ResultFile> {
  const { name, question, workload, doesNotShow } = benchmark;
  const measured = await benchmark.run(context);
  return {
    name,
    question,
    workload,
    doesNotShow,
    smoke: context.smoke,
    seed: context.seed,
    commit: commit(),
    machine: machine(),
    node: process.version,
    date: new Date().toISOString().slice(0, 10),
    ...measured,
  };
}

export function writeResult(path: string, result: ResultFile): void {
  const { files = {}, ...rest } = result;
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, `${JSON.stringify(rest, null, 2)}\n`);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
}

/** What a figure must be. */
export interface Bound {
  readonly what: string;
  readonly is: 'at least' | 'at most';
  readonly limit: number;
  readonly measured: number;
  /** Said behind both numbers, such as "ms". */
  readonly unit: string;
}

/** A note that says whether a bound is kept; a smoke test measures nothing. */
export function required({ smoke }: Pick<BenchContext, 'smoke'>, bound: Bound): string {
  const { what, is, limit, measured, unit } = bound;
  const said = `Required: ${what} ${is} ${figure(limit)}${unit}`;
  if (smoke) return `${said}; a smoke test does not tell.`;
  const isKept = is === 'at least' ? measured >= limit : measured <= limit;
  return `${said}: ${figure(round(measured))}${unit}, ${isKept ? 'passed' : 'FAILED'}.`;
}

function figure(value: number): string {
  return value.toLocaleString('en-US');
}

/** Median, least and most of some runs. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  return { median: quantile(sorted, 0.5), min: sorted[0]!, max: sorted.at(-1)! };
}

/** The value below which a fraction `q` of the sorted values lies. */
export function quantile(sorted: Readonly<ArrayLike<number>>, q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!;
}

/** A number as people read it: three digits that count. */
export function round(value: number): number {
  return value === 0 ? 0 : Number(value.toPrecision(3));
}

/** A spread in one cell: the median, and behind it the least and the most. */
export function cell({ median, min, max }: Spread): string {
  return `${round(median)} (${round(min)}-${round(max)})`;
}

export function checksumOf(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 16);
}

/** The table as Markdown, with its notes. */
export function renderTable({ columns, rows, notes }: Measured): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  const table = [line(columns), line(columns.map(() => '---')), ...rows.map(line)];
  return [...table, '', ...notes].join('\n').trimEnd();
}

function commit(): string {
  try {
    const id = git('rev-parse', '--short', 'HEAD');
    // What another benchmark of this run has written is no other code.
    const changed = git('status', '--porcelain', '-uno', '--', ':!bench/results') !== '';
    return changed ? `${id} with changes` : id;
  } catch {
    return 'not a git checkout'; // An unpacked archive has no commit to name.
  }
}

function git(...args: string[]): string {
  return execFileSync('git', args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
}

function machine(): string {
  const [first] = cpus();
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} x ${first?.model.trim() ?? 'unknown'}, ${gigabytes} GiB`;
}
