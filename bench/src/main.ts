// npm run bench -- [NAME ...] [--smoke] [--seed N] [--list]: runs benchmarks one after the other, prints their
// tables, and writes bench/results/NAME.json (not with --smoke).

import { join } from 'node:path';
import { ROOT } from './bench-cluster.js';
import { cold } from './cold.js';
import { documentSize } from './document-size.js';
import { failover } from './failover/failover.js';
import { fanout } from './fanout/fanout.js';
import { type Benchmark, renderTable, runBenchmark, writeResult } from './harness.js';
import { idleGroups } from './idle-groups.js';
import { liveCopies } from './live.js';
import { messages } from './messages.js';
import { parseOptions, USAGE } from './options.js';
import { readStorm } from './read-storm/read-storm.js';
import { scale } from './scale/scale.js';

const BENCHMARKS: readonly Benchmark[] = [
  messages,
  documentSize,
  cold,
  fanout,
  readStorm,
  liveCopies,
  scale,
  failover,
  idleGroups,
];

const options = parseOptions(
  process.argv.slice(2),
  BENCHMARKS.map(({ name }) => name),
);
if (typeof options === 'string') {
  console.error(`${options}\n\n${USAGE}`);
  process.exit(2);
}
if (options.help || options.list) {
  if (options.help) console.log(`${USAGE}\n`);
  for (const { name, question } of BENCHMARKS) console.log(`${name.padEnd(16)} ${question}`);
  process.exit(0);
}

const { names, smoke, seed, peers } = options;
const context = {
  smoke,
  seed,
  peers,
  progress: (line: string) => console.error(`  ${line}`),
};
for (const benchmark of BENCHMARKS) {
  if (names.length > 0 && !names.includes(benchmark.name)) continue;
  console.error(`${benchmark.name}: ${benchmark.question}`);
  const result = await runBenchmark(benchmark, context);
  console.log(`\n## ${result.name}\n\n${result.workload}\n\n${renderTable(result)}\n`);
  console.log(
    `seed ${result.seed}, checksum ${result.checksum}, ${result.commit}, ${result.machine}\n`,
  );
  if (!smoke) writeResult(join(ROOT, 'bench', 'results', `${result.name}.json`), result);
}
