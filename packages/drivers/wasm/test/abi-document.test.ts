// docs/machine-abi.md is the specification: what it says in tables and numbers is what the code does.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ERRORS } from '@deltabase/base';
import {
  CONTEXT_FIELDS,
  HOST_FUNCTIONS,
  KIND_NUMBERS,
  LOG_LEVELS,
  OPERATIONS,
} from '../src/abi/abi.js';
import { typeText } from '../src/binary/value-types.js';
import * as costs from '../src/meter/costs.js';
import * as bounds from '../src/module-limits.js';
import { benchOf, replyOf } from './harness.js';

// Compiled tests lie in dist/test.
const DOCUMENT = readFileSync(
  new URL('../../../../../docs/machine-abi.md', import.meta.url),
  'utf8',
);

/** Rows of the table whose head begins with `head`, as cells. */
function rowsOf(head: string): readonly (readonly string[])[] {
  const lines = DOCUMENT.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`| ${head} |`));
  assert.ok(start >= 0, `there is a table with ${head}`);
  const end = lines.findIndex((line, i) => i > start && !line.startsWith('|'));
  return lines.slice(start + 2, end).map((line) => {
    return line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
  });
}

test('every host function is documented with its type, and no other', () => {
  const documented = rowsOf('function').map(([name, type]) => {
    const [params, result] = type!.replaceAll('`', '').split(' -> ');
    const types = params!
      .replace(/[()]/g, '')
      .split(', ')
      .filter((name) => name !== '')
      .map((name) => (name === 'f64' ? 'f64' : 'i32'));
    return [name!.replaceAll('`', ''), `(${types.join(', ')}) -> ${result ?? '()'}`];
  });
  const coded = Object.entries(HOST_FUNCTIONS).map(([name, type]) => [name, typeText(type)]);
  assert.deepEqual(documented.sort(), coded.sort());
});

test('the numbers that stand for something are those of the document', () => {
  const listed = (names: readonly string[]) => names.map((name, i) => `${i} ${name}`).join(', ');
  assert.ok(DOCUMENT.includes(`\`operation\`: ${listed(OPERATIONS)}`));
  assert.ok(DOCUMENT.includes(listed(LOG_LEVELS)));
  const kinds = listed(Object.keys(KIND_NUMBERS)).replace('0 none', '0 nothing');
  assert.ok(DOCUMENT.includes(kinds), kinds);
  const fields = listed(CONTEXT_FIELDS)
    .replace('1 key', '1 document key')
    .replace('messageId', 'message id');
  assert.ok(DOCUMENT.includes(fields), fields);
});

test('the codes are those of the errors table', () => {
  for (const [code] of rowsOf('code')) {
    assert.ok(Object.hasOwn(ERRORS, code!.replaceAll('`', '')), code);
  }
});

test('prices and bounds are those of the code', () => {
  const number = (value: number) => value.toLocaleString('en-US');
  const rows = new Map(rowsOf('action').map(([action, units]) => [action!, units!]));
  const says = (action: string, ...values: number[]) => {
    const units = rows.get(action) ?? '';
    assert.deepEqual(units.match(/[\d,]*\d/g), values.map(number), `${action}: ${units}`);
  };
  says('a call', costs.CALL_FUEL, 1, 1, 1 << costs.LOCALS_SHIFT);
  says('`memory.fill`, `copy`, `init`', 1, 1 << costs.BULK_BYTES_SHIFT, 1);
  says('`memory.grow`', costs.GROW_FUEL, costs.PAGE_FUEL);
  says('reading JSON', costs.WRITE_BYTE_FUEL);
  says(
    'emitting',
    ...[costs.EMIT_FUEL, costs.EMIT_PART_FUEL, costs.PARSE_BYTE_FUEL, costs.VALUE_BYTE_FUEL],
  );
  says('replying', costs.PARSE_BYTE_FUEL, costs.VALUE_BYTE_FUEL);
  says(
    'a call of the host',
    ...[costs.HOST_CALL_FUEL, costs.POINTER_BYTE_FUEL, costs.TEXT_BYTE_FUEL],
    ...[1, 1 << costs.BULK_BYTES_SHIFT, costs.KEY_FUEL],
  );
  assert.ok(DOCUMENT.includes(`has ${number(costs.MESSAGE_FUEL)} for the message itself`));
  assert.ok(
    DOCUMENT.includes(`for each ${1 << costs.RESTORE_BYTES_SHIFT} bytes of memory restored`),
  );
  assert.ok(DOCUMENT.includes(`pays ${number(costs.INSTANCE_FUEL)} and`));
  assert.ok(DOCUMENT.includes(`${costs.FRAME_BYTES} bytes for each frame`));
  const limits = new Map(rowsOf('of a module').map(([what, most]) => [what, most]));
  const list = (...values: number[]) => values.map(number).join(', ');
  assert.equal(
    limits.get('types, imports, exports, globals'),
    list(bounds.TYPES_MAX, bounds.IMPORTS_MAX, bounds.EXPORTS_MAX, bounds.GLOBALS_MAX),
  );
  assert.equal(
    limits.get('parameters and results of a function'),
    `${bounds.PARAMETERS_MAX} and ${bounds.RESULTS_MAX}`,
  );
  assert.equal(
    limits.get('locals of a function, of all together'),
    list(bounds.LOCALS_MAX, bounds.LOCALS_TOTAL_MAX),
  );
  assert.equal(
    limits.get('tables, elements of each'),
    list(bounds.TABLES_MAX, bounds.TABLE_ELEMENTS_MAX),
  );
  assert.equal(
    limits.get('values passed by the blocks of a function, together'),
    list(bounds.BLOCK_VALUES_MAX),
  );
});

test('the machine by hand works', () => {
  // The document's module, instruction by instruction.
  const bench = benchOf({
    imports: [
      { name: 'read_number', params: 'i32 i32 i32', results: 'f64' },
      { name: 'emit_number', params: 'i32 i32 i32 f64' },
      { name: 'emit', params: 'i32 i32 i32 i32 i32' },
    ],
    data: [[0, '{"n":0}/n/by']],
    functions: {
      init: 'i32.const 0 i32.const 0 i32.const 0 i32.const 0 i32.const 7 call $emit',
      on_add: `i32.const 2 i32.const 7 i32.const 2
        i32.const 0 i32.const 7 i32.const 2 call $read_number
        i32.const 1 i32.const 9 i32.const 3 call $read_number
        f64.add call $emit_number`,
    },
  });
  assert.equal(replyOf(bench.send('add', { by: 40 }, { create: true })), undefined);
  bench.send('add', { by: 2 });
  assert.deepEqual(bench.state(), { n: 42 });
});
