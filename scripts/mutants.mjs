// npm run mutants [-- PATTERN ...] [--markdown]: breaks the code on purpose, one line at a time, and sees that tests fail. Each
// file of test/mutants lists mutants and the tests that must kill them; PATTERN picks those whose names hold it. Works on
// a copy of the workspace. Ends with 1 if a mutant survives, does not fit the code any more, or does not compile.

import { spawnSync } from 'node:child_process';
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
import { dirname, join, relative } from 'node:path';
import { build, ensureInstalled, fail, root } from './lib.mjs';

const LISTS = join(root, 'test', 'mutants');
/** A mutant that makes a test run for ever is killed by that. */
const TEST_SECONDS = 120;

const args = process.argv.slice(2);
const patterns = args.filter((arg) => !arg.startsWith('--'));
const isMarkdown = args.includes('--markdown');
ensureInstalled();
build();
const mutants = readdirSync(LISTS)
  .sort()
  .flatMap((list) => parseList(list))
  .filter(({ name }) => patterns.length === 0 || patterns.some((part) => name.includes(part)));
if (mutants.length === 0) fail(`no mutant's name holds ${patterns.join(' or ')}`);

const scratch = mkdtempSync(join(tmpdir(), 'deltabase-mutants-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
process.on('SIGINT', () => process.exit(130));
copyWorkspace();
const results = mutants.map((mutant, at) => {
  const result = { ...mutant, ...attempt(mutant) };
  const what = result.killedBy === undefined ? result.problem : `killed by "${result.killedBy}"`;
  console.error(`${at + 1}/${mutants.length} ${mutant.name}: ${what}`);
  return result;
});
const left = results.filter(({ killedBy }) => killedBy === undefined);
if (isMarkdown) console.log(table(results));
console.log(`${results.length - left.length} of ${results.length} mutants killed`);
for (const { name, problem } of left) console.log(`  ${name}: ${problem}`);
process.exitCode = left.length === 0 ? 0 : 1;

/** The mutants of a list: blocks of lines, the first of which says where their tests are. */
function parseList(list) {
  const text = readFileSync(join(LISTS, list), 'utf8');
  const blocks = text
    .split(/\n{2,}/)
    .map((block) => block.split('\n').filter((line) => line !== '' && !line.startsWith('#')))
    .filter((lines) => lines.length > 0);
  const tests = field(blocks.shift() ?? [], 'tests', list);
  return blocks.map((lines) => {
    const name = field(lines, 'mutant', list);
    const [before, after] = ['-', '+'].map((sign) => {
      const line = lines.find((each) => each.startsWith(sign));
      if (line === undefined) fail(`${list}: mutant ${name} has no line with ${sign}`);
      return line.slice(1);
    });
    const pitfall = field(lines, 'pitfall', list);
    return { name, pitfall, file: field(lines, 'file', list), before, after, tests };
  });
}

function field(lines, name, list) {
  const line = lines.find((each) => each.startsWith(`${name} `));
  if (line === undefined) fail(`${list}: "${name}" is missing near ${lines[0] ?? 'its begin'}`);
  return line.slice(name.length + 1);
}

/** Sources and what is compiled of them; packages from outside are linked, ours lead into the copy. */
function copyWorkspace() {
  for (const name of readdirSync(root)) {
    if (name === 'node_modules' || name.startsWith('.')) continue;
    const filter = (from) => !from.split('/').includes('node_modules') && !from.includes('/.data');
    cpSync(join(root, name), join(scratch, name), {
      recursive: true,
      filter,
      preserveTimestamps: true,
    });
  }
  linkModules(join(root, 'node_modules'), join(scratch, 'node_modules'));
  const config = join(scratch, 'tsconfig.base.json');
  // A broken line may leave something unused.
  const text = readFileSync(config, 'utf8').replace(
    /"noUnused(\w+)": true/g,
    '"noUnused$1": false',
  );
  writeFileSync(config, text);
}

function linkModules(from, to) {
  mkdirSync(to);
  for (const name of readdirSync(from)) {
    const path = join(from, name);
    if (name.startsWith('@') && !lstatSync(path).isSymbolicLink())
      linkModules(path, join(to, name));
    else symlinkSync(lstatSync(path).isSymbolicLink() ? readlinkSync(path) : path, join(to, name));
  }
}

/** Breaks the line, compiles, runs the tests until one fails, and mends the line. */
function attempt({ file, before, after, tests }) {
  const path = join(scratch, file);
  const sound = readFileSync(path, 'utf8');
  const lines = sound.split('\n');
  const at = lines.indexOf(before);
  if (at < 0 || lines.indexOf(before, at + 1) >= 0) {
    return { problem: `its line is not exactly once in ${file}` };
  }
  try {
    writeFileSync(path, lines.with(at, after).join('\n'));
    const compiled = spawn(join(root, 'node_modules', '.bin', 'tsc'), ['-b', projectOf(file)]);
    if (compiled.status !== 0) return { problem: `it does not compile: ${compiled.stdout}` };
    return runTests(join(scratch, tests));
  } finally {
    writeFileSync(path, sound);
  }
}

/** The folder of the package that a source belongs to. */
function projectOf(file) {
  return join(scratch, file.slice(0, file.indexOf('/src/')));
}

/** Test files one after the other, until one fails. */
function runTests(folder) {
  let files = 0;
  for (const file of testFiles(folder)) {
    files++;
    const run = spawn(process.execPath, ['--test', '--test-reporter=tap', file]);
    if (run.status === 0) continue;
    const killedBy =
      /^ *not ok \d+ - (.*)$/m.exec(run.stdout)?.[1] ?? `${relative(folder, file)} did not end`;
    return { killedBy, files };
  }
  return { problem: `survived ${files} test files`, files };
}

function testFiles(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return testFiles(path);
    return entry.name.endsWith('.test.js') ? [path] : [];
  });
}

function spawn(command, parameters) {
  const options = { cwd: scratch, encoding: 'utf8', timeout: TEST_SECONDS * 1000 };
  return spawnSync(command, parameters, { ...options, maxBuffer: 64 * 1024 * 1024 });
}

function table(rows) {
  const lines = rows.map(
    ({ name, pitfall, file, killedBy, problem, files }) =>
      `| ${name} | ${pitfall} | ${dirname(file).split('/')[2] ?? ''} | ${killedBy ?? problem} | ${files ?? 0} |`,
  );
  return [
    '| mutant | pitfall | in | killed by | after test files |',
    '| --- | --- | --- | --- | --- |',
    ...lines,
  ].join('\n');
}
