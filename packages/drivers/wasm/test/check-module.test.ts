import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOST_FUNCTIONS } from '../src/abi/abi.js';
import { assemble, HEADER, type ModuleSource, section } from './assembler.js';
import { benchOf, HOST_IMPORTS, limitsWith, refusal } from './harness.js';

const refused = (source: ModuleSource) => refusal(assemble(source));

test('the manifest names what a module offers and may call', () => {
  const { machine } = benchOf({
    imports: [HOST_IMPORTS[13]!, HOST_IMPORTS[0]!, HOST_IMPORTS[0]!].map((item, i) => ({
      ...item,
      name: i === 0 ? 'reply_number' : 'read',
    })),
    memory: [2, 9],
    functions: { init: '', on_b: '', on_a_2: '', other: { params: 'i32', code: '' } },
  });
  assert.deepEqual(machine.manifest, {
    abi: 1,
    channels: ['a_2', 'b'],
    init: true,
    imports: ['read', 'reply_number'],
    memoryPages: { initial: 2, max: 9 },
  });
});

test('memory without a maximum, or with a large one, is capped by the limits', () => {
  const limits = limitsWith({ memoryPagesMax: 4 });
  for (const memory of [[1], [1, 100]]) {
    const { machine } = benchOf({ memory, functions: { on_a: '' } }, { limits });
    assert.deepEqual(machine.manifest.memoryPages, { initial: 1, max: 4 });
  }
});

test('all host functions can be imported with their types', () => {
  benchOf({ imports: HOST_IMPORTS, functions: { on_a: '' } });
  assert.deepEqual(
    HOST_IMPORTS.map(({ name }) => name),
    Object.keys(HOST_FUNCTIONS),
  );
});

test('imports outside the ABI are refused, with the way out where there is a usual one', () => {
  const importing = (module: string, name: string, params = '') =>
    refused({ imports: [{ module, name, params }], functions: { on_a: '' } });
  assert.match(
    importing('env', 'print'),
    /"env.print"; a machine may import functions of "deltabase"/,
  );
  assert.match(importing('env', 'abort', 'i32 i32 i32 i32'), /guest-assemblyscript/);
  assert.match(importing('wasi_snapshot_preview1', 'fd_write'), /no WASI/);
  assert.match(importing('deltabase', 'exec'), /ABI version 1 does not have/);
  assert.match(
    importing('deltabase', 'read', 'i32'),
    /as \(i32\) -> \(\); it is \(i32, i32, i32\) -> i32/,
  );
});

test('imported memories, tables and globals are refused', () => {
  const importOf = (...type: number[]) =>
    refusal(Uint8Array.from([...HEADER, ...section(2, [1, 1, 0x6d, 1, 0x78, ...type])]));
  assert.match(importOf(2, 0, 1), /imports the memory "m.x"/);
  assert.match(importOf(1, 0x70, 0, 1), /imports the table "m.x"/);
  assert.match(importOf(3, 0x7f, 0), /imports the global "m.x"/);
});

test('a module must export its memory and a handler', () => {
  assert.match(refused({ memory: null, functions: { on_a: '' } }), /exports no memory/);
  assert.match(
    refused({ functions: { other: '' } }),
    /no handler: export a function `on_<channel>`/,
  );
});

test('what the host calls has neither parameters nor results', () => {
  const bad = { results: 'i32', code: 'i32.const 1' };
  assert.match(refused({ functions: { on_a: bad } }), /"on_a" must have neither/);
  assert.match(refused({ functions: { on_a: '', init: bad } }), /"init" must have neither/);
  assert.match(refused({ functions: { on_a: '', _initialize: bad } }), /"_initialize" must/);
});

test('handlers are named after channels', () => {
  for (const name of ['on_', 'on_A', 'on_1', 'on__a', 'on_a-b', 'on_é', `on_${'a'.repeat(65)}`]) {
    assert.match(refused({ functions: { [name]: '' } }), /names no channel/, name);
  }
  benchOf({ functions: { [`on_${'a'.repeat(64)}`]: '', on_a_1: '' } });
});

test('names that later versions need are refused', () => {
  for (const name of ['query', 'query_top', 'authorize', 'migrate', 'timer_x']) {
    assert.match(refused({ functions: { on_a: '', [name]: '' } }), /reserved for a later version/);
  }
  assert.match(refused({ functions: { on_a: '', 'deltabase.fuel': '' } }), /prefix is reserved/);
});

test('code that V8 does not validate is refused with its reason', () => {
  assert.match(refused({ functions: { on_a: 'i32.const 1' } }), /invalid: .*function #0/i);
  assert.match(refused({ functions: { on_a: 'local.get 7 drop' } }), /invalid: /);
});

test('segments that do not fit and start functions that fail are refused', () => {
  assert.match(
    refused({ data: [[65_535, 'ab']], functions: { on_a: '' } }),
    /data segment .*out of bounds/,
  );
  assert.match(
    refused({ tables: [[1]], elements: ['on_a', 'on_a'], functions: { on_a: '' } }),
    /table initializer|element segment|out of bounds/,
  );
  const starting = (code: string) =>
    refused({
      imports: HOST_IMPORTS,
      data: [[0, 'boom']],
      start: 'go',
      functions: { on_a: '', go: code },
    });
  assert.match(starting('unreachable'), /start function failed with TRAPPED: unreachable/);
  assert.match(starting('loop br 0 end'), /start function failed with OUT_OF_FUEL/);
  assert.match(starting('call $go'), /start function failed with STACK_OVERFLOW/);
  assert.match(
    starting('i32.const 3 i32.const 0 i32.const 4 call $log unreachable'),
    /TRAPPED: unreachable.*; it logged "error: boom"/,
  );
});

test('a start function may not ask for a message, because there is none', () => {
  const calls: Record<string, string> = {
    read: 'i32.const 0 i32.const 0 i32.const 0 call $read drop',
    read_kind: 'i32.const 1 i32.const 0 i32.const 0 call $read_kind drop',
    context: 'i32.const 0 call $context drop',
    emit_number: 'i32.const 0 i32.const 0 i32.const 0 f64.const 1 call $emit_number',
    reply_number: 'f64.const 1 call $reply_number',
    reply: 'i32.const 0 i32.const 0 call $reply',
    reject: 'i32.const 0 i32.const 0 call $reject',
    now: 'call $now drop',
    random: 'call $random drop',
  };
  for (const [name, code] of Object.entries(calls)) {
    for (const start of ['go', undefined]) {
      // Either as the start function or as `_initialize`.
      const go = start === undefined ? '_initialize' : 'go';
      const source = { imports: HOST_IMPORTS, functions: { on_a: '', [go]: code } };
      const reason = refused(start === undefined ? source : { ...source, start });
      assert.match(reason, /MODULE_INVALID: it calls a host function that needs a message/, name);
    }
  }
});
