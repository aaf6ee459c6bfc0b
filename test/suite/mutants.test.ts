// The lists of mutants keep up with the code: npm run mutants takes too long to be run with every change, this does not.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { inOrder } from '../src/mutants/attempt.js';
import { broken, type Mutant, parseList, readMutants } from '../src/mutants/lists.js';
import { readRows, TABLE_FILE } from '../src/mutants/table.js';
import { ROOT, readText } from '../src/workspace.js';

const MUTANTS = readMutants();

test('every mutant fits the code: its lines are there, once, and what replaces them is something else', () => {
  for (const mutant of MUTANTS) {
    const source = readText(mutant.file);
    assert.notEqual(broken(source, mutant) ?? source, source, mutant.name);
  }
});

test('every mutant has a name of its own, and tests', () => {
  const names = MUTANTS.map(({ name }) => name);
  assert.deepEqual(names, [...new Set(names)]);
  for (const mutant of MUTANTS) assert.ok(inOrder(mutant).length > 0, mutant.name);
  for (const folder of new Set(MUTANTS.flatMap(({ tests }) => tests))) {
    assert.ok(existsSync(join(ROOT, folder)), folder);
  }
});

test('every pitfall of docs/raft.md has a mutant, and no mutant another one, unless it breaks an invariant', () => {
  const raft = readText('docs/raft.md');
  const numbers = (pattern: RegExp): string[] => [...raft.matchAll(pattern)].map(([, it]) => it!);
  const pitfalls = numbers(/^\| (\d+) \|/gm);
  const contract = numbers(/^(\d+)\. /gm).map((number) => `contract ${number}`);
  const architecture = readText('ARCHITECTURE.md');
  const invariants = [...architecture.matchAll(/^- \*\*(\w+)\*\*: /gm)].map(([, it]) => it!);
  const broken = new Set(MUTANTS.map(({ pitfall }) => pitfall));
  assert.deepEqual(
    pitfalls.filter((number) => !broken.has(number)),
    [],
  );
  assert.deepEqual(
    [...broken].filter((number) => ![...pitfalls, ...contract, ...invariants].includes(number)),
    [],
  );
});

test(`${TABLE_FILE} tells who killed each of them`, () => {
  const rows = readRows();
  for (const { name } of MUTANTS)
    assert.ok(rows.has(name), `${name}: npm run mutants -- ${name} --write`);
  for (const [name, row] of rows) assert.doesNotMatch(row, /\| nobody: /, name);
});

const LIST = `# What it is.

tests a/dist/test b/dist/test
seeds 1-9

mutant one
pitfall 3
file a/src/x.ts
-  two
-  lines
+  one line

# About the next.
mutant other
pitfall contract 3
file a/src/y.ts
killer seeds
-x
+y`;

test('a list says what is replaced, and who must notice', () => {
  const [one, other] = parseList(LIST, 'list');
  const tests = ['a/dist/test', 'b/dist/test'];
  assert.deepEqual(one, {
    ...{ name: 'one', pitfall: '3', file: 'a/src/x.ts', killer: undefined },
    ...{ before: '  two\n  lines', after: '  one line', tests, seeds: [1, 9] },
  });
  assert.deepEqual([other!.pitfall, other!.killer], ['contract 3', 'seeds']);
});

test('a list that leaves something out, or says what nobody knows, is refused', () => {
  for (const [part, problem] of [
    ['file a/src/x.ts\n', /"file" is missing, near "mutant one"/],
    ['+  one line\n', /no line begins with \+/],
    ['tests a/dist/test b/dist/test\n', /"tests" is missing/],
  ] as const) {
    assert.throws(() => parseList(LIST.replace(part, ''), 'list'), problem);
  }
  assert.throws(
    () => parseList(LIST.replace('killer', 'killed'), 'list'),
    /what is "killed seeds"/,
  );
});

test('lines are replaced only where they are whole, and found once', () => {
  const mutant = { before: '  a;\n  b;', after: '  c;' } as Mutant;
  assert.equal(broken('x\n  a;\n  b;\ny\n', mutant), 'x\n  c;\ny\n');
  assert.equal(broken('  a;\n  b;\ny\n', mutant), '  c;\ny\n');
  assert.equal(broken('x\n  a;\n  b; // More.\ny\n', mutant), undefined);
  assert.equal(broken('  a;\n  b;\n  a;\n  b;\n', mutant), undefined);
});

test('the likeliest killers come first: what a mutant names, or the test that mirrors its source', () => {
  const file = 'packages/engine/src/groups/sleep.ts';
  const mutant: Mutant = {
    ...MUTANTS[0]!,
    tests: ['packages/engine/dist/test'],
    file,
    killer: undefined,
  };
  assert.equal(inOrder(mutant)[0], 'packages/engine/dist/test/groups/sleep.test.js');
  assert.match(inOrder({ ...mutant, killer: 'faults' })[0]!, /whole\/faults\.test\.js$/);
  assert.equal(new Set(inOrder(mutant)).size, inOrder(mutant).length);
  assert.ok(inOrder(mutant).length > 50);
});
