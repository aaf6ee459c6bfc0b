// Where fuel is charged, and how much, for functions small enough to count by hand.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS } from '@deltabase/base';
import { readModule } from '../src/binary/read-module.js';
import { CALL_FUEL, FRAME_BYTES, STRETCH_FUEL_MIN } from '../src/meter/costs.js';
import type { FunctionPlan } from '../src/meter/function-plan.js';
import { planModule } from '../src/meter/meter-module.js';
import { assemble, type FunctionSource } from './assembler.js';

/** The plan of the function `main`. */
function planOf(main: FunctionSource | string): FunctionPlan {
  const bytes = assemble({
    imports: [{ name: 'now', results: 'f64' }],
    tables: [[1]],
    passiveData: [Uint8Array.of(1)],
    functions: { main, other: { params: 'i32 i32', results: 'i32', code: 'local.get 0' } },
  });
  return planModule(readModule(bytes, DEFAULT_LIMITS))[0]!;
}

/** What is charged at all, point by point. */
const charges = (main: FunctionSource | string) =>
  planOf(main).pointFuel.filter((fuel) => fuel > 0);
/** `count` instructions that leave nothing. */
const work = (count: number) => 'nop i32.const 1 drop '.repeat(count / 2);
const LONG = STRETCH_FUEL_MIN + 8;

test('straight code is charged once, structure costs nothing', () => {
  assert.deepEqual(charges(work(10)), [10]);
  assert.deepEqual(charges(`block ${work(10)} block nop end end nop ${work(4)}`), [14]);
  assert.deepEqual(charges({ locals: 'i32 '.repeat(9), code: work(2) }), [4]);
});

test('a loop is charged at its head, what is around it once', () => {
  assert.deepEqual(
    charges(`${work(6)} loop ${work(8)} i32.const 0 br_if 0 end ${work(4)}`),
    [10, 10],
  );
  const nested = `loop ${work(2)} loop ${work(4)} i32.const 0 br_if 0 end ${work(6)} end`;
  assert.deepEqual(charges(nested), [8, 6]);
});

test('what a branch can skip has a charge of its own from some length on', () => {
  const skipping = (count: number) => `block i32.const 1 br_if 0 ${work(count)} end ${work(4)}`;
  assert.deepEqual(charges(skipping(10)), [16]);
  assert.deepEqual(charges(skipping(LONG)), [6, LONG]);
  const arms = (then: number, otherwise: number) =>
    `i32.const 1 if ${work(then)} else ${work(otherwise)} end ${work(4)}`;
  assert.deepEqual(charges(arms(4, 6)), [16]);
  assert.deepEqual(charges(arms(LONG, 6)), [12, LONG]);
  assert.deepEqual(charges(arms(LONG, LONG + 2)), [6, LONG, LONG + 2]);
});

test('code behind a block that a branch leaves for further out may be skipped, too', () => {
  const leaving = (count: number) =>
    `block block i32.const 1 br_if 1 end ${work(count)} end ${work(4)}`;
  assert.deepEqual(charges(leaving(LONG)), [6, LONG]);
  assert.deepEqual(charges(leaving(6)), [12]);
  const returning = `block i32.const 1 if return end end ${work(LONG)}`;
  assert.deepEqual(charges(returning), [3, LONG]);
  const staying = `block i32.const 1 br_if 0 end ${work(LONG)}`;
  assert.deepEqual(charges(staying), [2 + LONG]);
});

test('a big switch pays for the case that runs, not for all', () => {
  const cases = 20;
  const open = 'block '.repeat(cases);
  const close = `end ${work(LONG)} br ${'$'} `;
  let code = `${open} i32.const 3 br_table ${Array.from({ length: cases }, (_, i) => i).join(' ')} `;
  for (let i = 0; i < cases - 1; i++) code += close.replace('$', String(cases - 2 - i));
  code += 'end';
  const fuel = charges(code);
  assert.equal(fuel[0], 2);
  assert.deepEqual(fuel.slice(1), new Array(cases - 1).fill(LONG + 1));
});

test('calls pay for their arguments and results', () => {
  assert.deepEqual(charges('call $now drop'), [CALL_FUEL + 1 + 1]);
  assert.deepEqual(charges('i32.const 1 i32.const 2 call $other drop'), [CALL_FUEL + 3 + 3]);
});

test('frames are as large as their locals and the highest stack', () => {
  assert.equal(planOf('').frameBytes, FRAME_BYTES);
  assert.equal(planOf({ locals: 'i32 f64', code: '' }).frameBytes, FRAME_BYTES + 16);
  assert.equal(planOf('i32.const 1 i32.const 2 i32.add drop').frameBytes, FRAME_BYTES + 16);
  const blocks = 'i32.const 1 block i32 i32.const 2 i32.const 3 i32.add end drop drop';
  assert.equal(planOf(blocks).frameBytes, FRAME_BYTES + 24);
  const vectors = { locals: 'v128', code: 'i32.const 1 drop' };
  assert.equal(planOf(vectors).frameBytes, FRAME_BYTES + 32);
});

test('operands are followed through code that is never reached', () => {
  for (const dead of [
    'unreachable i32.add i32.add drop i32.const 1 drop',
    'unreachable block nop end i32.add drop',
    'unreachable i32.const 1 if i32.add drop else drop end i32.add drop',
    'block br 0 loop i32.add br 0 end i64.add drop end',
    'return i32.const 1 drop f64.add drop',
    'block i32 i32.const 1 br 0 end drop',
  ]) {
    assert.equal(planOf(dead).balanced, true, dead);
    assert.ok(planOf(dead).frameBytes <= FRAME_BYTES + 8, dead);
  }
  assert.equal(planOf('i32.const 1').balanced, false);
  assert.equal(planOf('block i32.const 1 end').balanced, false);
});

test('loops that change the fuel otherwise do not keep it in a local', () => {
  const loops = (body: string) => planOf(`loop loop ${body} end end`).loopCalls;
  assert.deepEqual(loops(work(4)), [false, false]);
  for (const call of [
    'call $now drop',
    'i32.const 0 i32.const 0 call $other drop',
    'i32.const 0 memory.grow drop',
    'i32.const 0 i32.const 0 i32.const 0 memory.fill',
    'i32.const 0 i32.const 0 i32.const 0 memory.init 0',
  ]) {
    assert.deepEqual(loops(call), [true, true], call);
  }
  const inner = planOf(`loop call $now drop loop ${work(4)} end end`);
  assert.deepEqual(inner.loopCalls, [true, false]);
});

test('what is behind a loop does not belong to it', () => {
  const behind = (code: string) => planOf(`loop ${work(4)} end i32.const 1 if ${code} end`);
  assert.deepEqual(behind(work(LONG)).pointLoop, [-1, 0, -1]);
  assert.deepEqual(behind('call $now drop').loopCalls, [false]);
});

test('only calls of the module’s own functions can recurse', () => {
  assert.equal(planOf('call $now drop').callsGuest, false);
  assert.equal(planOf('i32.const 0 i32.const 0 call $other drop').callsGuest, true);
  assert.equal(planOf('i32.const 0 call_indirect > 0').callsGuest, true);
});
