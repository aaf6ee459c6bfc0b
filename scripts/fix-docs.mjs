// node scripts/fix-docs.mjs [--check]: writes the tables of docs/errors.md, docs/limits.md, docs/configuration.md,
// docs/cli.md and the results in README.md and bench/README.md from what they describe, between the marks in those
// files. With --check it only says which one is out of date.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail, root } from './lib.mjs';
import { row, table } from './markdown.mjs';
import { resultTables } from './result-tables.mjs';

const RESULTS = join(root, 'bench', 'results');
const BASE = join(root, 'packages', 'core', 'base');
const GRPC_NAMES = {
  1: 'CANCELLED',
  2: 'UNKNOWN',
  3: 'INVALID_ARGUMENT',
  4: 'DEADLINE_EXCEEDED',
  5: 'NOT_FOUND',
  8: 'RESOURCE_EXHAUSTED',
  9: 'FAILED_PRECONDITION',
  10: 'ABORTED',
  11: 'OUT_OF_RANGE',
  13: 'INTERNAL',
  14: 'UNAVAILABLE',
  15: 'DATA_LOSS',
};

const tables = {
  'docs/errors.md': await errorsTable(),
  'docs/limits.md': limitsTable(),
  'docs/configuration.md': await configurationTable(),
  'docs/cli.md': await commandsTable(),
  'README.md': resultTables(RESULTS, { forReadme: true }),
  'bench/README.md': resultTables(RESULTS, { forReadme: false }),
};
const MADE = /(<!-- made -->\n)[\s\S]*?(<!-- end -->)/;
const check = process.argv.includes('--check');
for (const [file, made] of Object.entries(tables)) {
  const path = join(root, file);
  const text = readFileSync(path, 'utf8');
  if (!MADE.test(text)) fail(`${file} has no marks <!-- made --> and <!-- end -->: put them in`);
  const updated = text.replace(MADE, (_, start, end) => start + made + end);
  if (updated === text) continue;
  if (check) fail(`${file} is out of date: run node scripts/fix-docs.mjs`);
  writeFileSync(path, updated);
}

async function errorsTable() {
  const { ERRORS } = await import(join(BASE, 'dist', 'src', 'errors.js'));
  const rows = Object.entries(ERRORS).map(([code, { meaning, retry, grpc, http, exit }]) =>
    row(`\`${code}\``, meaning, retry, GRPC_NAMES[grpc], http, exit),
  );
  return table(['code', 'meaning', 'retry', 'gRPC status', 'HTTP', 'exit'], rows);
}

/** The names, defaults and comments of DEFAULT_LIMITS, as they stand in the source. */
function limitsTable() {
  const source = readFileSync(join(BASE, 'src', 'limits.ts'), 'utf8');
  const defaults = source.slice(source.indexOf('DEFAULT_LIMITS'));
  const rows = [];
  for (const line of defaults.split('\n')) {
    const match = /^ {2}(\w+): (.+?), \/\/ (.+)$/.exec(line);
    if (match === null) continue;
    const [, name, value, comment] = match;
    const [unit, ...reason] = comment.split('; ');
    rows.push(row(`\`${name}\``, value.replaceAll('_', ' '), unit, reason.join('; ')));
  }
  return table(['limit', 'default', 'unit', 'why'], rows);
}

async function configurationTable() {
  const server = await import(join(root, 'packages', 'server', 'dist', 'src', 'index.js'));
  return server.configurationTables();
}

/** The commands of the command line, with the options that not all have. */
async function commandsTable() {
  const cli = await import(join(root, 'packages', 'tools', 'cli', 'dist', 'src', 'index.js'));
  const rows = cli
    .listCommands()
    .map(({ usage, summary, options }) =>
      row(`\`${usage}\``, summary, options.map((option) => `\`${option}\``).join(', ')),
    );
  return table(['command', 'what it is for', 'its own options'], rows);
}
