import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS } from '@deltabase/base';
import { BY_NAME, HEIGHTS, IMMEDIATES } from '../src/binary/opcode-table.js';
import { Immediate, Op } from '../src/binary/opcodes.js';
import { readModule } from '../src/binary/read-module.js';
import { planModule } from '../src/meter/meter-module.js';
import { wasm } from '../src/webassembly.js';
import { assemble } from './assembler.js';

/** Immediates to write behind an instruction where any will do. */
function immediates(kind: number): string {
  switch (kind) {
    case Immediate.index:
    case Immediate.lane:
      return '0';
    case Immediate.memArgLane:
      return '0';
    case Immediate.twoIndices:
      return '0 0';
    case Immediate.segmentMemory:
      return '0';
    case Immediate.labels:
      return '0 0';
    case Immediate.types:
      return 'i32';
    case Immediate.heapType:
      return 'funcref';
    case Immediate.i32:
    case Immediate.i64:
    case Immediate.f32:
    case Immediate.f64:
      return '1';
    case Immediate.bytes16:
      return '1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16';
    default:
      return '';
  }
}

/** A module whose one function has `code` where anything may lie on the stack. */
function moduleWith(code: string): Uint8Array {
  return assemble({
    tables: [[1]],
    globals: ['mut i32 0'],
    elements: ['main'],
    passiveElements: [['main']],
    data: [[0, 'x']],
    functions: { main: { locals: 'i32', code: `unreachable ${code} unreachable` } },
  });
}

test('V8 reads every instruction of the table as the table says', () => {
  let checked = 0;
  for (const { name, code, immediate } of BY_NAME.values()) {
    const isControl = ['block', 'loop', 'if', 'else', 'end', 'call_indirect'].includes(name);
    if (isControl) continue;
    const bytes = moduleWith(`${name} ${immediates(immediate)}`);
    assert.ok(wasm.validate(bytes), `${name} (0x${code.toString(16)})`);
    planModule(readModule(bytes, DEFAULT_LIMITS));
    checked++;
  }
  assert.ok(checked > 400, `${checked} instructions`);
});

test('the table has all instructions of release 2.0 and no other', () => {
  const first = (from: number, to: number) =>
    [...IMMEDIATES.slice(from, to)].filter((kind) => kind !== 0xff).length;
  assert.equal(first(0x00, 0xc0), 175, 'MVP, and select with types, table.get and table.set');
  assert.equal(first(0xc0, 0x100), 8, 'sign extension and references');
  assert.equal(first(0x100, 0x200), 18, 'saturating conversion and bulk operations');
  assert.equal(first(0x200, 0x300), 236, 'SIMD');
});

test('instructions at the ends of the runs have the numbers of the specification', () => {
  const numbers = {
    unreachable: 0x00,
    'memory.size': 0x3f,
    'i32.const': 0x41,
    'i32.eqz': 0x45,
    'f64.ge': 0x66,
    'i32.rotr': 0x78,
    'i64.rotr': 0x8a,
    'f32.copysign': 0x98,
    'f64.copysign': 0xa6,
    'i32.trunc_f64_u': 0xab,
    'i64.trunc_f64_u': 0xb1,
    'f32.demote_f64': 0xb6,
    'f64.promote_f32': 0xbb,
    'f64.reinterpret_i64': 0xbf,
    'i64.extend32_s': 0xc4,
    'i64.trunc_sat_f64_u': 0x107,
    'table.fill': 0x111,
    'v128.load64_splat': 0x20a,
    'f64x2.replace_lane': 0x222,
    'i8x16.ge_u': 0x22c,
    'f64x2.ge': 0x24c,
    'v128.store64_lane': 0x25b,
    'i8x16.avgr_u': 0x27b,
    'i16x8.extmul_high_i8x16_u': 0x29f,
    'i32x4.extmul_high_i16x8_u': 0x2bf,
    'i64x2.extmul_high_i32x4_u': 0x2df,
    'f64x2.pmax': 0x2f7,
    'f64x2.convert_low_i32x4_u': 0x2ff,
  };
  for (const [name, code] of Object.entries(numbers)) {
    assert.equal(BY_NAME.get(name)?.code, code, name);
  }
});

test('the names that the meter uses are those of the table', () => {
  const names: Record<string, string> = { brIf: 'br_if', brTable: 'br_table' };
  for (const [key, code] of Object.entries(Op)) {
    const split = key.replace(/^(local|global|table|memory|i32|data|elem)([A-Z])/, '$1.$2');
    const name = names[key] ?? split.replace(/([a-z])([A-Z])/g, '$1_$2').toLowerCase();
    assert.equal(BY_NAME.get(name)?.code, code, `${key} is ${name}`);
  }
});

test('heights are those of the stack, tried on operands of the right types', () => {
  const operands: Record<string, string> = {
    'i32.add': 'i32.const 1 i32.const 2',
    'i64.store': 'i32.const 0 i64.const 1',
    select: 'f32.const 1 f32.const 2 i32.const 0',
    'memory.fill': 'i32.const 0 i32.const 0 i32.const 0',
    'table.grow': 'ref.null funcref i32.const 0',
    'v128.bitselect': `${'i32.const 0 i8x16.splat '.repeat(3)}`,
    'v128.store8_lane': 'i32.const 0 i32.const 0 i8x16.splat',
    'i8x16.shuffle': `${'i32.const 0 i8x16.splat '.repeat(2)}`,
  };
  for (const [name, before] of Object.entries(operands)) {
    const { immediate, code } = BY_NAME.get(name)!;
    const pushed = [...before.matchAll(/const|ref\.null/g)].length;
    const drops = 'drop '.repeat(pushed + HEIGHTS[code]!);
    const bytes = assemble({
      tables: [[1]],
      functions: { main: `${before} ${name} ${immediates(immediate)} ${drops}` },
    });
    assert.ok(wasm.validate(bytes), name);
    assert.ok(planModule(readModule(bytes, DEFAULT_LIMITS))[0]!.balanced, name);
  }
});
