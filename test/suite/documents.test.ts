import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { filesBelow, ROOT, readJson, readText, workspacePackages } from '../src/workspace.js';

const MARKDOWN = [
  ...filesBelow('docs', ['.md']),
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'bench/README.md',
  ...filesBelow('examples', ['.md']),
  ...filesBelow('packages', ['.md']),
];

const FOLDERS = ['packages', 'docs', 'test', 'bench', 'scripts', 'proto', 'examples'];
/** What documents put where a name of the reader's own goes. */
const PLACEHOLDER = /\b(?:NAME|FILE)\b/;

/** Files that a text names, in backticks or not, with folders or without. */
function filesIn(text: string): string[] {
  const file =
    /(?<![\w./*@-])(?:[\w-][\w.-]*\/)*[\w-][\w.-]*\.(?:ts|mjs|md|proto|json|h|c|wasm|ndjson)\b(?![\w/])/g;
  return [...text.matchAll(file)].map(([found]) => found).filter((name) => !PLACEHOLDER.test(name));
}

test('every link between documents leads somewhere', () => {
  for (const file of MARKDOWN) {
    for (const [, target] of readText(file).matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
      assert.ok(existsSync(join(ROOT, dirname(file), target!)), `${file} links to ${target}`);
    }
  }
});

test('every file of the workspace that a document names is there', () => {
  // Sources may be named without `src`, and without the folders that the text is about.
  const files = [...FOLDERS.flatMap((folder) => filesBelow(folder, [''])), ...readdirSync(ROOT)];
  const names = files.flatMap((file) => [`/${file}`, `/${file.replace('/src/', '/')}`]);
  const missing: string[] = [];
  for (const document of MARKDOWN) {
    for (const name of filesIn(readText(document))) {
      const isOurs = names.some((path) => path.endsWith(`/${name}`));
      const isThere = isOurs || existsSync(join(ROOT, 'node_modules', name));
      if (!isThere) missing.push(`${document} names ${name}`);
    }
  }
  assert.deepEqual(missing, []);
});

test('names of files are found in text, code and tables, whole and without what stands around them', () => {
  const text =
    '(bench/README.md). `node scripts/fix-lock.mjs` | docs/x.md, a-b/c_d.test.ts: lib.json; groups/part-*.ts results/NAME.json';
  assert.deepEqual(filesIn(text), [
    'bench/README.md',
    'scripts/fix-lock.mjs',
    'docs/x.md',
    'a-b/c_d.test.ts',
    'lib.json',
  ]);
});

test('README, ARCHITECTURE and decisions keep to their length', () => {
  const lines = (file: string): number => readText(file).split('\n').length;
  assert.ok(lines('README.md') <= 150);
  assert.ok(lines('ARCHITECTURE.md') <= 300);
  for (const file of filesBelow('docs/decisions', ['.md'])) assert.ok(lines(file) <= 41, file);
});

test('every invariant of ARCHITECTURE.md is named by a test', () => {
  const [, section] = readText('ARCHITECTURE.md').split('## Invariants');
  const invariants = [...section!.split('\n## ')[0]!.matchAll(/^- \*\*(\w+)\*\*/gm)].map(
    (match) => match[1]!,
  );
  assert.ok(invariants.length >= 8);
  const titles = ['packages', 'test', 'examples']
    .flatMap((folder) => filesBelow(folder, ['.test.ts']))
    .flatMap((file) => [...readText(file).matchAll(/^\s*test\(\s*['`](.*)['`],/gm)])
    .map((match) => match[1]!);
  for (const name of invariants) {
    assert.ok(
      titles.some((title) => title.includes(name)),
      `no test is named by ${name}`,
    );
  }
});

test('every invariant of docs/raft.md is named in the core and by its tests', () => {
  const [, section] = readText('docs/raft.md').split('## Invariants');
  const names = [...section!.split('\n## ')[0]!.matchAll(/^\| \*\*(\w+)\*\*/gm)].map(
    (match) => match[1]!,
  );
  assert.ok(names.length >= 20);
  for (const folder of ['packages/core/raft-ts/src', 'packages/core/raft-ts/test']) {
    const text = filesBelow(folder, ['.ts']).map(readText).join('\n');
    for (const name of names) assert.ok(text.includes(name), `${folder} does not name ${name}`);
  }
});

test('what code and tests cite of docs/raft.md and docs/leveldb.md by its number is there', () => {
  const numbersOf = (file: string, form: RegExp): Set<string> =>
    new Set([...readText(file).matchAll(form)].map((match) => match[1]!));
  const numbered = {
    contract: numbersOf('docs/raft.md', /^(\d+)\. /gm),
    pitfall: numbersOf('docs/raft.md', /^\| (\d+) \|/gm),
    fact: numbersOf('docs/leveldb.md', /^\| (\d+) \|/gm),
  };
  assert.deepEqual(
    [numbered.contract.size, numbered.pitfall.size, numbered.fact.size],
    [14, 27, 11],
  );
  const files = ['packages', 'test'].flatMap((folder) => filesBelow(folder, ['.ts', '.txt']));
  let cited = 0;
  for (const file of files) {
    for (const [, kind, number] of readText(file).matchAll(/\b(contract|pitfall|fact) (\d+)/g)) {
      const is = numbered[kind as keyof typeof numbered];
      assert.ok(is.has(number!), `${file} cites ${kind} ${number}`);
      cited++;
    }
  }
  assert.ok(cited > 50);
});

test('docs/dependencies.md names every package we depend on, and no other', () => {
  const table = readText('docs/dependencies.md')
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  const named = table.flatMap((row) =>
    [...row.split('|')[1]!.matchAll(/`([^`]+)`/g)].map((m) => m[1]!),
  );
  const ours = new Set(workspacePackages().map(({ name }) => name));
  const used = new Set(
    workspacePackages().flatMap(({ dependencies }) =>
      dependencies.filter((name) => !ours.has(name)),
    ),
  );
  assert.deepEqual([...named].sort(), [...used].sort());
});

test('every dependency has an exact version', () => {
  const folders = ['.', ...workspacePackages().map(({ folder }) => folder)];
  for (const folder of folders) {
    const json = readJson(`${folder}/package.json`) as Record<string, Record<string, string>>;
    for (const list of ['dependencies', 'devDependencies']) {
      for (const [name, version] of Object.entries(json[list] ?? {})) {
        assert.match(version, /^\d+\.\d+\.\d+$/, `${folder}: ${name}`);
      }
    }
  }
});

test('the tables that are made from code and results are as the scripts make them', () => {
  const check = spawnSync(process.execPath, [join(ROOT, 'scripts/fix-docs.mjs'), '--check']);
  assert.equal(check.status, 0, String(check.stderr));
});

test('the README has the well-known results in their order, bench/README.md the others, and both say whence', async () => {
  const { resultTables } = await import(join(ROOT, 'scripts/result-tables.mjs'));
  const folder = mkdtempSync(join(tmpdir(), 'results-'));
  const write = (name: string, more: object): void => {
    const result = {
      ...{ name, question: `How ${name}?`, doesNotShow: 'Rain.', notes: ['Medians.'] },
      ...{ columns: ['what', 'ms'], rows: [['a|b', 1]] },
      ...{ machine: 'one core', node: 'v20', commit: 'abc', date: '2026-01-02', smoke: false },
    };
    writeFileSync(join(folder, `${name}.json`), JSON.stringify({ ...result, ...more }));
  };
  try {
    for (const forReadme of [true, false]) {
      assert.equal(resultTables(join(folder, 'none'), { forReadme }), '');
      assert.equal(resultTables(folder, { forReadme }), '');
    }
    write('failover', {});
    write('another', {});
    write('messages', {});
    const tablesOf = (options: { forReadme: boolean }): [string, unknown[]] => {
      const text: string = resultTables(folder, options);
      return [text, [...text.matchAll(/How (\w+)\?/g)].map((match) => match[1])];
    };
    const [markdown, names] = tablesOf({ forReadme: true });
    assert.deepEqual(names, ['messages', 'failover']);
    assert.deepEqual(tablesOf({ forReadme: false })[1], ['another']);
    const said = '**How messages?** Medians. Not shown: Rain.';
    const table = '| what | ms |\n| --- | --- |\n| a\\|b | 1 |';
    assert.ok(markdown.startsWith(`\n${said}\n\n${table}\n\n`), markdown);
    assert.match(markdown, /^Measured on one core, Node.js v20, commit abc, 2026-01-02\.\n\n$/m);
    write('failover', { commit: 'def' });
    assert.match(
      resultTables(folder, { forReadme: true }),
      /commit abc, .*: messages\. .*commit def, .*: failover\./,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
