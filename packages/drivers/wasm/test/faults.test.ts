// Every way in which a guest can hurt itself or try to hurt the host: one code each, for that one message,
// and the next message finds everything as it was (LogicCannotHurtTheHost).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS } from '@deltabase/base';
import type { ModuleSource } from './assembler.js';
import { codeOf, limitsWith, replyOf } from './harness.js';
import { type ScriptOptions, script, type TextOf } from './script.js';

/** A hostile message may take this long: what its fuel buys, with room for a busy machine. */
const MS_MAX = 1500;

/**
 * Sends `bad` twice with a good message behind each: it must fail with `code`, quickly, and the good ones
 * must not notice. Returns what the failure says.
 */
function fault(code: string, bad: (text: TextOf) => string, options: ScriptOptions = {}): string {
  const module: Partial<ModuleSource> = { memory: [1, 4], ...options.module };
  const functions = { ...module.functions, on_good: 'f64.const 42 call $reply_number' };
  const bench = script(bad, { ...options, module: { ...module, functions } });
  const before = bench.state();
  let message = '';
  for (let i = 0; i < 2; i++) {
    const started = performance.now();
    const outcome = bench.send('a');
    const took = performance.now() - started;
    assert.equal(codeOf(outcome), code, outcome.kind === 'failed' ? outcome.message : '');
    assert.ok(took < MS_MAX, `it took ${took} ms`);
    assert.ok(outcome.fuel > 0 && outcome.logs.length === 0);
    assert.deepEqual(bench.state(), before);
    assert.equal(replyOf(bench.send('good')), 42);
    if (outcome.kind === 'failed') message = outcome.message;
  }
  return message;
}

test('an infinite loop is OUT_OF_FUEL, whatever it is made of', () => {
  const loops: Record<string, (text: TextOf) => string> = {
    empty: () => 'loop br 0 end',
    conditional: () => 'loop i32.const 1 br_if 0 end',
    nested: () => 'loop loop i32.const 0 br_if 0 br 1 end end',
    table: () => 'loop i32.const 5 br_table 0 0 end',
    'host calls': () => 'loop call $now drop br 0 end',
    rejections: (text) => `loop ${text('x')} call $log br 0 end`.replace('call $log', 'drop drop'),
    replies: (text) => `loop ${text('[1,2,3]')} call $reply br 0 end`,
    filling: () => 'loop i32.const 0 i32.const 0 i32.const 262144 memory.fill br 0 end',
    copying: () => 'loop i32.const 0 i32.const 1 i32.const 262143 memory.copy br 0 end',
    'growing by nothing': () => 'loop i32.const 0 memory.grow drop br 0 end',
  };
  for (const [name, loop] of Object.entries(loops)) {
    const message = fault('OUT_OF_FUEL', loop, { module: { memory: [4, 4] } });
    assert.match(message, /ran for too long/, name);
  }
});

test('work is paid by its size, not by its number of instructions', () => {
  const limits = limitsWith({ fuelPerMessageMax: 1_000_000 });
  const turns = (code: string) => {
    const bench = script(
      () => `loop ${code} local.get 0 i32.const 1 i32.add local.tee 0 i32.const 100 i32.lt_u br_if 0 end
        local.get 0 f64.convert_i32_u call $reply_number`,
      {
        limits,
        module: { memory: [4, 4], tables: [[10_000]] },
        state: { big: 'x'.repeat(50_000) },
      },
    );
    return bench.send('a').kind;
  };
  const fill = (bytes: number) => `i32.const 0 i32.const 0 i32.const ${bytes} memory.fill`;
  assert.equal(turns(fill(100)), 'done');
  assert.equal(turns(fill(200_000)), 'failed');
  const elements = (count: number) => `i32.const 0 i32.const 0 i32.const ${count} table.copy 0 0`;
  assert.equal(turns(elements(100)), 'done');
  assert.equal(turns(elements(10_000)), 'failed');
  const read = (pointer: number) => `i32.const 0 i32.const 0 i32.const ${pointer} call $read drop`;
  assert.equal(turns(read(0)), 'failed', 'reading 50 KB a hundred times');
});

test('a pointer is paid by its length, and the path of an operation by its parts', () => {
  const fuel = (write: (text: TextOf) => string) => script(write, { state: DEEP }).send('a').fuel;
  const read = (pointer: string) =>
    fuel((text) => `i32.const 0 ${text(pointer)} call $read_kind drop`);
  assert.ok(read('/~0~1'.repeat(800)) > read('') + 4000 * 10);
  const emit = (pointer: string) =>
    fuel((text) => `i32.const 0 ${text(pointer)} f64.const 1 call $emit_number`);
  assert.ok(emit('/a/a/a/a/a/a/a/a') > emit('/aaaaaaaaaaaaaaa') + 7 * 50);
});

const DEEP = { a: { a: { a: { a: { a: { a: { a: {} } } } } } } };

test('recursion that does not end is STACK_OVERFLOW, long before V8 would say so', () => {
  const recursions: Record<string, ModuleSource['functions']> = {
    direct: { bad: 'call $bad' },
    mutual: { bad: 'call $worse', worse: 'call $bad' },
    'large frames': { bad: { locals: 'f64 '.repeat(2000), code: 'call $bad' } },
    'many operands': { bad: `${'i32.const 1 '.repeat(500)} call $bad ${'drop '.repeat(500)}` },
    'with host calls': { bad: 'call $now drop call $bad' },
    indirect: { bad: 'i32.const 0 call_indirect > 0' },
  };
  for (const [name, functions] of Object.entries(recursions)) {
    const module = { functions, tables: [[1]], elements: ['bad'] };
    const message = fault('STACK_OVERFLOW', () => 'call $bad', { module });
    assert.match(message, /recursed too deep/, name);
  }
});

test('a function gives its stack back, whichever way it is left', () => {
  const limits = limitsWith({ stackBytesMax: 2000 });
  for (const body of [
    'call $leaf',
    'call $leaf return',
    'call $leaf block block br 1 end end',
    'call $leaf i32.const 1 br_if 0',
    'call $leaf i32.const 1 if return end',
    'call $leaf loop i32.const 1 if br 2 end end',
    'call $leaf block loop i32.const 1 br_table 0 2 end end',
  ]) {
    const bench = script(
      () => `loop call $bad local.get 0 i32.const 1 i32.add local.tee 0
        i32.const 5000 i32.lt_u br_if 0 end`,
      { limits, module: { functions: { bad: body, leaf: '' } } },
    );
    assert.equal(bench.send('a').kind, 'done', body);
  }
});

test('the counted stack runs out at the same depth every time, with much of V8’s left', () => {
  const depthOf = (stackBytesMax: number) => {
    // Counts in memory, which nothing restores before it is read: the trap leaves no other trace.
    const bench = script(() => 'call $bad', {
      limits: limitsWith({ stackBytesMax, logLinesPerMessageMax: 100_000, fuelPerMessageMax: 1e9 }),
      module: { functions: { bad: 'i32.const 0 i32.const 0 i32.const 0 call $log call $bad' } },
    });
    const outcome = bench.send('a');
    assert.equal(codeOf(outcome), 'STACK_OVERFLOW');
    return outcome.logs.length;
  };
  const depth = depthOf(DEFAULT_LIMITS.stackBytesMax);
  assert.equal(depthOf(DEFAULT_LIMITS.stackBytesMax), depth);
  const byV8 = depthOf(2 ** 30);
  assert.ok(byV8 > 3 * depth, `${depth} counted, ${byV8} by V8`);
});

test('V8’s own stack overflow, also inside a host function, is STACK_OVERFLOW', () => {
  const limits = limitsWith({
    stackBytesMax: 2 ** 30,
    fuelPerMessageMax: 2 ** 30,
    operationsPerDeltaMax: 1e9,
    patchBytesMax: 1e9,
  });
  for (const call of [
    'call $now drop',
    'i32.const 0 i32.const 0 i32.const 0 call $read drop',
    'i32.const 0 i32.const 0 i32.const 0 f64.const 3 call $emit_number',
    '',
  ]) {
    const functions = { bad: `${call} call $bad` };
    fault('STACK_OVERFLOW', () => 'call $bad', {
      limits,
      module: { functions },
      state: { a: [1] },
    });
  }
});

test('asking for too much memory and trapping is OUT_OF_MEMORY', () => {
  const bomb = 'loop i32.const 1 memory.grow i32.const -1 i32.ne br_if 0 end unreachable';
  assert.match(
    fault('OUT_OF_MEMORY', () => bomb),
    /asked for more memory/,
  );
  for (const pages of [4, 65_536, -1]) {
    fault('OUT_OF_MEMORY', () => `i32.const ${pages} memory.grow drop unreachable`);
  }
  fault('TRAPPED', () => 'i32.const 3 memory.grow drop unreachable');
});

test('a refused growth is -1 to the guest, which may go on', () => {
  const sizes = (...grows: number[]) => {
    const code = grows.map((pages) => `i32.const ${pages} memory.grow call $say`).join(' ');
    const bench = script(() => `${code} memory.size call $say`, {
      module: {
        memory: [1, 4],
        data: [[0, '-0123456789']],
        functions: {
          // Logs one digit; -1 as a dash.
          say: {
            params: 'i32',
            code: 'i32.const 1 local.get 0 i32.const 1 i32.add i32.const 1 call $log',
          },
        },
      },
    });
    const outcome = bench.send('a');
    assert.equal(outcome.kind, 'done');
    return outcome.logs.map((line) => line.slice(-1)).join('');
  };
  assert.equal(sizes(0, 1, 2, 1, 0), '112-44');
  assert.equal(sizes(9, 3), '-14');
});

test('growing by nothing costs nothing and leaves the memory as it is', () => {
  const idle = script(() => '').send('a').fuel;
  const grown = script(() => 'i32.const 0 memory.grow drop').send('a').fuel;
  assert.ok(grown < idle + 50, `${grown} units instead of ${idle}`);
});

test('memory is capped by the limits whatever the module says', () => {
  const limits = limitsWith({ memoryPagesMax: 2 });
  const grow = (pages: number) => `i32.const ${pages} memory.grow i32.const 0 i32.lt_s
    if unreachable end`;
  for (const memory of [[1], [1, 1000]]) {
    fault('OUT_OF_MEMORY', () => grow(2), { limits, module: { memory } });
    assert.equal(script(() => grow(1), { limits, module: { memory } }).send('a').kind, 'done');
  }
});

test('a trap is TRAPPED, with V8’s reason', () => {
  const traps: Record<string, string> = {
    unreachable: 'unreachable',
    'divide by zero': 'i32.const 1 i32.const 0 i32.div_s drop',
    'remainder by zero': 'i64.const 1 i64.const 0 i64.rem_u drop',
    'divide result unrepresentable': 'i32.const -2147483648 i32.const -1 i32.div_s drop',
    'memory access out of bounds': 'i32.const -1 i32.load drop',
    'float unrepresentable': 'f64.const 1e300 i32.trunc_f64_s drop',
    'table index is out of bounds': 'i32.const 7 call_indirect > 0',
    'null function': 'i32.const 1 call_indirect > 0',
    'signature mismatch': 'i32.const 0 call_indirect >i32 0 drop',
  };
  for (const [reason, code] of Object.entries(traps)) {
    const module = { tables: [[2]], elements: ['on_good'] };
    assert.match(
      fault('TRAPPED', () => code, { module }),
      new RegExp(reason),
    );
  }
});

/** Calls of every host function that is given an address and a length. */
const RANGES: Record<string, (range: string) => string> = {
  read: (range) => `i32.const 0 ${range} call $read drop`,
  read_text: (range) => `i32.const 0 ${range} call $read_text drop`,
  read_number: (range) => `i32.const 0 ${range} call $read_number drop`,
  read_kind: (range) => `i32.const 1 ${range} call $read_kind drop`,
  read_count: (range) => `i32.const 1 ${range} call $read_count drop`,
  'read_keys, pointer': (range) =>
    `i32.const 0 ${range} i32.const 0 i32.const -1 i32.const 1 call $read_keys drop`,
  'read_keys, after': (range) =>
    `i32.const 0 i32.const 0 i32.const 0 ${range} i32.const 1 call $read_keys drop`,
  'emit, path': (range) => `i32.const 1 ${range} i32.const 0 i32.const 0 call $emit`,
  'emit, value': (range) => `i32.const 0 i32.const 0 i32.const 0 ${range} call $emit`,
  'emit, from': (range) => `i32.const 3 i32.const 0 i32.const 0 ${range} call $emit`,
  'emit_text, path': (range) => `i32.const 0 ${range} i32.const 0 i32.const 0 call $emit_text`,
  'emit_text, value': (range) => `i32.const 0 i32.const 0 i32.const 0 ${range} call $emit_text`,
  'emit_number, path': (range) => `i32.const 0 ${range} f64.const 1 call $emit_number`,
  reply: (range) => `${range} call $reply`,
  reply_text: (range) => `${range} call $reply_text`,
  reject: (range) => `${range} call $reject`,
  log: (range) => `i32.const 1 ${range} call $log`,
};

test('a range that is not within the memory is BAD_OUTPUT, to every host function', () => {
  const bytes = 65_536;
  const ranges = {
    'one byte beyond the end': [bytes - 3, 4],
    'behind the end': [bytes + 1, 0],
    'a negative address': [-1, 1],
    'an address and length whose sum wraps': [-16, 20],
    'a negative length': [8, -2],
  };
  for (const [call, code] of Object.entries(RANGES)) {
    for (const [what, [address, length]] of Object.entries(ranges)) {
      // -1 has a meaning to read_keys; a huge length is too long a pointer or patch before it is too far.
      const expected = isTooLong(call, length!) ? 'OUTPUT_TOO_LARGE' : 'BAD_OUTPUT';
      const range = `i32.const ${address} i32.const ${length}`;
      fault(expected, () => code(range), {
        state: { a: 1 },
        module: { memory: [1, 1] },
      });
      void what;
    }
  }
});

function isTooLong(call: string, length: number): boolean {
  if (length >= 0) return false;
  return /^(emit, (value|from)|emit_text, value|reply|reply_text)$/.test(call);
}

test('taking to where there is no room is BAD_OUTPUT', () => {
  for (const address of [65_536, 65_533, -1]) {
    const take = (text: TextOf) =>
      `i32.const 0 ${text('/name')} call $read_text drop i32.const ${address} call $take`;
    fault('BAD_OUTPUT', take, { state: { name: 'text' }, module: { memory: [1, 1] } });
  }
});

test('the end of memory is within it, also once it has grown', () => {
  const bench = script(
    (text) => `
      i32.const 0 ${text('/name')} call $read_text drop i32.const 65532 call $take
      i32.const 1 memory.grow drop
      i32.const 131068 call $take
      i32.const 131068 i32.const 4 call $reply_text`,
    { state: { name: 'text' } },
  );
  assert.equal(replyOf(bench.send('a')), 'text');
});

test('bytes that are not UTF-8 are BAD_OUTPUT, to every host function', () => {
  for (const bytes of [
    [0xff],
    [0xc3],
    [0xed, 0xa0, 0x80],
    [0xc0, 0x80],
    [0xf5, 0x80, 0x80, 0x80],
  ]) {
    for (const [call, code] of Object.entries(RANGES)) {
      const message = fault('BAD_OUTPUT', (text) => code(text(Uint8Array.from(bytes))), {
        state: { a: 1 },
      });
      assert.match(message, /not well-formed UTF-8/, call);
    }
  }
});

test('text that is not JSON is BAD_OUTPUT', () => {
  const bad = ['', 'nul', '{"a":1,}', '[1', '"\\ud800"', '1e999', '{"a":1,"a":2}', '[1] 2', "'x'"];
  for (const json of [...bad, '['.repeat(200) + ']'.repeat(200)]) {
    fault('BAD_OUTPUT', (text) => `${text(json)} call $reply`);
    fault('BAD_OUTPUT', (text) => `i32.const 0 ${text('')} ${text(json)} call $emit`);
  }
});

test('numbers that stand for nothing are BAD_OUTPUT', () => {
  for (const number of [-1, 2, 6, 2 ** 31 - 1]) {
    fault('BAD_OUTPUT', () => `i32.const ${number} i32.const 0 i32.const 0 call $read_kind drop`);
  }
  for (const operation of [-1, 6]) {
    const emit = `i32.const ${operation} i32.const 0 i32.const 0 i32.const 0 i32.const 0 call $emit`;
    fault('BAD_OUTPUT', () => emit);
  }
  for (const operation of [1, 3, 4, 7]) {
    const range = 'i32.const 0 i32.const 0';
    fault('BAD_OUTPUT', () => `i32.const ${operation} ${range} ${range} call $emit_text`);
    fault('BAD_OUTPUT', () => `i32.const ${operation} ${range} f64.const 1 call $emit_number`);
  }
  fault('BAD_OUTPUT', () => 'i32.const 4 i32.const 0 i32.const 0 call $log');
  fault('BAD_OUTPUT', (text) => `i32.const 0 ${text('no slash')} call $read_kind drop`);
  fault('BAD_OUTPUT', () => 'i32.const 0 i32.const 0 i32.const 5000 call $read_kind drop');
});

test('what is too large is OUTPUT_TOO_LARGE before it is decoded', () => {
  const limits = limitsWith({
    patchBytesMax: 2000,
    replyBytesMax: 1000,
    operationsPerDeltaMax: 10,
  });
  const emit = (bytes: number) =>
    `i32.const 0 i32.const 0 i32.const 0 i32.const 0 i32.const ${bytes}`;
  // The bytes are zeros: no JSON, which would be noticed first if they were looked at.
  fault('OUTPUT_TOO_LARGE', () => `${emit(2001)} call $emit`, { limits });
  fault('OUTPUT_TOO_LARGE', () => `${emit(2001)} call $emit_text`, { limits });
  fault('OUTPUT_TOO_LARGE', () => 'i32.const 0 i32.const 1001 call $reply', { limits });
  fault('OUTPUT_TOO_LARGE', () => 'i32.const 0 i32.const 1001 call $reply_text', { limits });
  const grown = `"${'\\u0001'.repeat(160)}"`;
  fault('OUTPUT_TOO_LARGE', (text) => `${text(JSON.parse(grown).repeat(2))} call $reply_text`, {
    limits,
  });
  const eleven = (text: TextOf) =>
    `i32.const 0 i32.const 0 i32.const 0 f64.const 1 call $emit_number `.repeat(11) +
    text('').slice(0, 0);
  fault('OUTPUT_TOO_LARGE', eleven, { limits });
  const long = (text: TextOf) =>
    `i32.const 0 ${text('')} ${text('x'.repeat(700))} call $emit_text `.repeat(3);
  fault('OUTPUT_TOO_LARGE', long, { limits });
});

test('a patch without end is stopped by its size', () => {
  const forever = (text: TextOf) =>
    `loop i32.const 0 ${text('/list/-')} ${text('x'.repeat(8000))} call $emit_text br 0 end`;
  const limits = limitsWith({ fuelPerMessageMax: 2 ** 30 });
  fault('OUTPUT_TOO_LARGE', forever, { limits, state: { list: [] } });
});

test('a document that would grow beyond its limit is DOCUMENT_TOO_LARGE', () => {
  const limits = limitsWith({ documentBytesMax: 10_000 });
  // Each copy holds all before it: the size doubles.
  const doubling = (text: TextOf) =>
    Array.from(
      { length: 30 },
      (_, i) => `i32.const 4 ${text(`/c${i}`)} ${text('')} call $emit`,
    ).join(' ');
  fault('DOCUMENT_TOO_LARGE', doubling, { limits, state: { a: 'x'.repeat(500) } });
});

test('a channel that the machine does not have is CHANNEL_NOT_FOUND', () => {
  const bench = script(() => '');
  for (const channel of ['b', '', 'init', 'a ', 'constructor', '__proto__', 'on_a']) {
    const outcome = bench.send(channel);
    assert.equal(codeOf(outcome), 'CHANNEL_NOT_FOUND');
    assert.match(outcome.kind === 'failed' ? outcome.message : '', /it has a$/);
  }
});

test('what a host function is charged with ends a message that returns', () => {
  const limits = limitsWith({ fuelPerMessageMax: 3000 });
  // Six calls of some 600 units: less than the host gathers before it charges.
  const six = (text: TextOf) => `i32.const 0 ${text('')} f64.const 1 call $emit_number `.repeat(6);
  fault('OUT_OF_FUEL', six, { limits });
  const four = script(
    (text) => `i32.const 0 ${text('')} f64.const 1 call $emit_number `.repeat(4),
    {
      limits,
    },
  );
  assert.equal(four.send('a').kind, 'done');
});
