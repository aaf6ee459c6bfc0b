// Results as Markdown: a table for each file under bench/results, which `npm run bench` writes. Files that are not
// there are left out: no claim of speed stands without one.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail } from './lib.mjs';
import { row, table } from './markdown.mjs';

/** What the README tells, in this order; the others are in bench/README.md, by name. */
const README_RESULTS = ['messages', 'document-size', 'fanout', 'failover'];
const FIELDS = [
  ...['name', 'question', 'columns', 'rows', 'notes', 'doesNotShow'],
  ...['machine', 'node', 'commit', 'date'],
];

/** The tables of the README, or all others; empty without a file. */
export function resultTables(folder, { forReadme }) {
  const files = existsSync(folder) ? readdirSync(folder).filter((it) => it.endsWith('.json')) : [];
  const first = README_RESULTS.map((name) => `${name}.json`).filter((file) => files.includes(file));
  const wanted = forReadme ? first : files.filter((file) => !first.includes(file)).sort();
  const results = wanted.map((file) => read(folder, file));
  if (results.length === 0) return '';
  return `\n${results.map(section).join('')}${origins(results)}\n\n`;
}

function read(folder, file) {
  let result;
  try {
    result = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  } catch (error) {
    fail(`bench/results/${file} cannot be read (${error.message}): run npm run bench again`);
  }
  const missing = FIELDS.find((field) => result[field] === undefined);
  if (missing !== undefined) {
    fail(`bench/results/${file} has no ${missing}: run npm run bench again`);
  }
  if (result.smoke) fail(`bench/results/${file} is of a smoke test, which measures nothing`);
  return result;
}

/** What is asked and said in one paragraph, then the table: a README is short of lines. */
function section({ question, columns, rows, notes, doesNotShow }) {
  const said = [`**${question}**`, ...notes, `Not shown: ${doesNotShow}`].join(' ');
  const body = table(
    columns,
    rows.map((cells) => row(...cells)),
  );
  return `${said}\n${body}`;
}

/** Where the figures come from, said once for the results that have it in common. */
function origins(results) {
  const named = new Map();
  for (const { name, machine, node, commit, date } of results) {
    const origin = `${machine}, Node.js ${node}, commit ${commit}, ${date}`;
    named.set(origin, [...(named.get(origin) ?? []), name]);
  }
  const [first] = named.keys();
  if (named.size === 1) return `Measured on ${first}.`;
  return [...named]
    .map(([origin, names]) => `Measured on ${origin}: ${names.join(', ')}.`)
    .join(' ');
}
