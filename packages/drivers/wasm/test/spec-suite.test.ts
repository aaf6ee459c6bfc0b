// The official test suite, where it is there: DELTABASE_WASM_SUITE names folders (separated by colons) with
// what wast2json made of its scripts.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { assemble } from './assembler.js';
import { runSuite } from './spec-suite.js';

const folders = (process.env['DELTABASE_WASM_SUITE'] ?? '').split(':').filter(Boolean);
const skip = folders.length === 0 && 'DELTABASE_WASM_SUITE is not set';

test('metered modules pass the official suite as plain ones do', { skip }, () => {
  for (const folder of folders) {
    const result = runSuite(folder);
    assert.deepEqual(result.differences, []);
    assert.ok(result.assertions > 1000, `${result.assertions} assertions in ${folder}`);
  }
});

test('the runner of the suite executes what a script says and notices refusals', () => {
  const folder = mkdtempSync(join(tmpdir(), 'suite-'));
  try {
    const add = { params: 'i32 i32', results: 'i32', code: 'local.get 0 local.get 1 i32.add' };
    writeFileSync(join(folder, 'a.wasm'), assemble({ functions: { add, trap: 'unreachable' } }));
    writeFileSync(join(folder, 'b.wasm'), Uint8Array.of(0, 0x61, 0x73));
    const invoke = (field: string, ...values: string[]) => ({
      type: 'invoke',
      field,
      args: values.map((value) => ({ type: 'i32', value })),
    });
    const commands = [
      { type: 'module', line: 1, filename: 'a.wasm' },
      {
        type: 'assert_return',
        line: 2,
        action: invoke('add', '1', '2'),
        expected: [{ type: 'i32' }],
      },
      { type: 'assert_trap', line: 3, action: invoke('trap') },
      { type: 'assert_malformed', line: 4, filename: 'b.wasm', module_type: 'binary' },
    ];
    writeFileSync(join(folder, 'script.json'), JSON.stringify({ commands }));
    assert.deepEqual(runSuite(folder), {
      scripts: 1,
      modules: 1,
      assertions: 3,
      refused: 1,
      differences: [],
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
