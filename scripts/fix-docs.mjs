// node scripts/fix-docs.mjs [--check]: writes the tables of docs/errors.md, docs/limits.md and
// docs/configuration.md from the code that they describe, between the marks in those files. With --check it only says which one is out of date.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail, root } from './lib.mjs';

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
};
const check = process.argv.includes('--check');
for (const [file, table] of Object.entries(tables)) {
  const path = join(root, file);
  const text = readFileSync(path, 'utf8');
  const updated = text.replace(
    /(<!-- made -->\n)[\s\S]*?(<!-- end -->)/,
    (_, start, end) => start + table + end,
  );
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
  return server.configurationTable();
}

/** The tables of the benchmarks that were run, in the order in which the README is to show them. */
function resultTables() {
  const names = ['messages', 'document-size', 'cold', 'fanout'];
  const files = names
    .map((name) => join(root, 'bench', 'results', `${name}.json`))
    .filter(existsSync);
  const results = files.map((file) => JSON.parse(readFileSync(file, 'utf8')));
  return results.map(resultTable).join('');
}

function resultTable({ question, workload, columns, rows, notes, machine, node, date }) {
  const body = table(
    columns,
    rows.map((cells) => row(...cells)),
  );
  return `\n**${question}** ${workload}\n${body}${notes.join(' ')} (${machine}, Node ${node}, ${date})\n\n`;
}

function table(heads, rows) {
  return `\n${row(...heads)}\n${row(...heads.map(() => '---'))}\n${rows.join('\n')}\n\n`;
}

function row(...cells) {
  return `| ${cells.join(' | ')} |`;
}
