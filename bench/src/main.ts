// npm run bench -- [NAME ...] [--smoke] [--seed N] [--list]: runs benchmarks one after the other, prints their
// tables, and writes bench/results/NAME.json (not with --smoke).

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from './bench-cluster.js';
import { cold } from './cold.js';
import { documentSize } from './document-size.js';
import { fanout } from './fanout.js';
import { type Benchmark, renderTable, runBenchmark, writeResult } from './harness.js';
import { messages } from './messages.js';

const BENCHMARKS: readonly Benchmark[] = [messages, documentSize, cold, fanout];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    smoke: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
  },
});

if (values.help || values.list) {
  if (values.help) console.log('npm run bench -- [NAME ...] [--smoke] [--seed N] [--list]\n');
  for (const { name, question } of BENCHMARKS) console.log(`${name.padEnd(16)} ${question}`);
  process.exit(0);
}
const unknown = positionals.filter((name) => !BENCHMARKS.some((each) => each.name === name));
if (unknown.length > 0) {
  console.error(`there is no benchmark ${unknown.join(', ')}: see npm run bench -- --list`);
  process.exit(2);
}
const seed = Number(values.seed);
if (!Number.isSafeInteger(seed) || seed < 0) {
  console.error(`--seed ${values.seed} is no whole number of at least 0`);
  process.exit(2);
}

const context = {
  smoke: values.smoke,
  seed,
  progress: (line: string) => console.error(`  ${line}`),
};
for (const benchmark of BENCHMARKS) {
  if (positionals.length > 0 && !positionals.includes(benchmark.name)) continue;
  console.error(`${benchmark.name}: ${benchmark.question}`);
  const result = await runBenchmark(benchmark, context);
  console.log(`\n## ${result.name}\n\n${result.workload}\n\n${renderTable(result)}\n`);
  console.log(
    `seed ${result.seed}, checksum ${result.checksum}, ${result.commit}, ${result.machine}\n`,
  );
  if (!values.smoke) writeResult(join(ROOT, 'bench', 'results', `${result.name}.json`), result);
}
