import assert from 'node:assert/strict';
import { test } from 'node:test';
import { table } from '../../src/format/table.js';

const COLUMNS = [{ head: 'N', align: 'right' as const }, { head: 'NAME' }, { head: 'WHAT' }];

test('columns are as wide as they must be, and no line ends with spaces', () => {
  const text = table(COLUMNS, [
    ['1', 'a', 'x'],
    ['100', 'longer', ''],
  ]);
  assert.equal(text, '  N  NAME    WHAT\n  1  a       x\n100  longer\n');
});

test('colors take no room', () => {
  const text = table(COLUMNS, [
    ['1', '\u001b[1ma\u001b[22m', 'x'],
    ['2', 'bb', 'y'],
  ]);
  assert.equal(text, 'N  NAME  WHAT\n1  \u001b[1ma\u001b[22m     x\n2  bb    y\n');
});

test('characters outside the basic plane count once', () => {
  const text = table(COLUMNS, [['1', '🙂🙂🙂🙂🙂', 'x']]);
  assert.equal(text, 'N  NAME   WHAT\n1  🙂🙂🙂🙂🙂  x\n');
});

test('a table without rows is its head', () => {
  assert.equal(
    table(COLUMNS, [], (head) => `<${head}>`),
    '<N  NAME  WHAT>\n',
  );
});
