// Ways in which a guest runs away or breaks down: one code each, for that one message, and the next message
// finds everything as it was (LogicCannotHurtTheHost). bad-output.test.ts has what it can give the host.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS } from '@deltabase/base';
import type { ModuleSource } from './assembler.js';
import { fault } from './fault.js';
import { codeOf, limitsWith } from './harness.js';
import { script, type TextOf } from './script.js';

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

test('a growth that was refused to an earlier message does not explain a trap', () => {
  const bench = script(() => 'i32.const 9 memory.grow drop', {
    module: { memory: [1, 4], functions: { on_trap: 'unreachable' } },
  });
  assert.equal(bench.send('a').kind, 'done');
  assert.equal(codeOf(bench.send('trap')), 'TRAPPED');
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
