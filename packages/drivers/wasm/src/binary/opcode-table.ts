// Every instruction that a machine may use, as one table: its name, the immediates behind its opcode and
// how many operands it takes and gives (core specification 5.4 and 7.10; the release 2.0 set: MVP,
// sign extension, saturating conversion, multi-value, bulk memory, reference types, SIMD).

import { type Add, typed } from './opcode-names.js';
import { BULK_BASE, Immediate } from './opcodes.js';
import { addSimd, addSimdMemory } from './simd-table.js';

/** What the table says of one instruction. */
export interface Opcode {
  readonly code: number;
  readonly name: string;
  readonly immediate: number;
}

const OPCODES = 0x300;

/** Immediate kind by opcode; 0xff where no machine may use it. */
export const IMMEDIATES: Uint8Array = new Uint8Array(OPCODES).fill(0xff);
/** Operands given minus operands taken, by opcode; control flow and calls are 0 here. */
export const HEIGHTS: Int8Array = new Int8Array(OPCODES);
/** The same table by name, for tools. */
export const BY_NAME: ReadonlyMap<string, Opcode> = makeTable();

function makeTable(): ReadonlyMap<string, Opcode> {
  const table = new Map<string, Opcode>();
  const add: Add = (first, immediate, height, names) => {
    let code = first;
    for (const name of names.split(' ')) {
      // A dot stands for a number that no instruction has.
      if (name !== '.') {
        IMMEDIATES[code] = immediate;
        HEIGHTS[code] = height;
        table.set(name, { code, name, immediate });
      }
      code++;
    }
  };
  addControl(add);
  addMemory(add);
  addNumeric(add);
  addBulk(add);
  addSimdMemory(add);
  addSimd(add);
  return table;
}

function addControl(add: Add): void {
  add(0x00, Immediate.none, 0, 'unreachable nop');
  add(0x02, Immediate.blockType, 0, 'block loop');
  add(0x04, Immediate.blockType, -1, 'if');
  add(0x05, Immediate.none, 0, 'else');
  add(0x0b, Immediate.none, 0, 'end');
  add(0x0c, Immediate.index, 0, 'br');
  add(0x0d, Immediate.index, -1, 'br_if');
  add(0x0e, Immediate.labels, -1, 'br_table');
  add(0x0f, Immediate.none, 0, 'return');
  add(0x10, Immediate.index, 0, 'call');
  add(0x11, Immediate.twoIndices, -1, 'call_indirect');
  add(0x1a, Immediate.none, -1, 'drop');
  add(0x1b, Immediate.none, -2, 'select');
  add(0x1c, Immediate.types, -2, 'select_t');
  add(0x20, Immediate.index, 1, 'local.get');
  add(0x21, Immediate.index, -1, 'local.set');
  add(0x22, Immediate.index, 0, 'local.tee');
  add(0x23, Immediate.index, 1, 'global.get');
  add(0x24, Immediate.index, -1, 'global.set');
  add(0x25, Immediate.index, 0, 'table.get');
  add(0x26, Immediate.index, -2, 'table.set');
  add(0xd0, Immediate.heapType, 1, 'ref.null');
  add(0xd1, Immediate.none, 0, 'ref.is_null');
  add(0xd2, Immediate.index, 1, 'ref.func');
}

function addMemory(add: Add): void {
  const narrow = 'i32.load8_s i32.load8_u i32.load16_s i32.load16_u i64.load8_s i64.load8_u';
  add(0x28, Immediate.memArg, 0, 'i32.load i64.load f32.load f64.load');
  add(0x2c, Immediate.memArg, 0, `${narrow} i64.load16_s i64.load16_u i64.load32_s i64.load32_u`);
  add(0x36, Immediate.memArg, -2, 'i32.store i64.store f32.store f64.store');
  add(0x3a, Immediate.memArg, -2, 'i32.store8 i32.store16 i64.store8 i64.store16 i64.store32');
  add(0x3f, Immediate.memory, 1, 'memory.size');
  add(0x40, Immediate.memory, 0, 'memory.grow');
}

function addNumeric(add: Add): void {
  add(0x41, Immediate.i32, 1, 'i32.const');
  add(0x42, Immediate.i64, 1, 'i64.const');
  add(0x43, Immediate.f32, 1, 'f32.const');
  add(0x44, Immediate.f64, 1, 'f64.const');
  const compare = 'eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u';
  const compareFloat = 'eq ne lt gt le ge';
  const count = 'clz ctz popcnt';
  const integer = 'add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr';
  const unaryFloat = 'abs neg ceil floor trunc nearest sqrt';
  const float = 'add sub mul div min max copysign';
  add(0x45, Immediate.none, 0, 'i32.eqz');
  add(0x46, Immediate.none, -1, typed('i32', compare));
  add(0x50, Immediate.none, 0, 'i64.eqz');
  add(0x51, Immediate.none, -1, typed('i64', compare));
  add(0x5b, Immediate.none, -1, typed('f32', compareFloat));
  add(0x61, Immediate.none, -1, typed('f64', compareFloat));
  add(0x67, Immediate.none, 0, typed('i32', count));
  add(0x6a, Immediate.none, -1, typed('i32', integer));
  add(0x79, Immediate.none, 0, typed('i64', count));
  add(0x7c, Immediate.none, -1, typed('i64', integer));
  add(0x8b, Immediate.none, 0, typed('f32', unaryFloat));
  add(0x92, Immediate.none, -1, typed('f32', float));
  add(0x99, Immediate.none, 0, typed('f64', unaryFloat));
  add(0xa0, Immediate.none, -1, typed('f64', float));
  const truncate = 'trunc_f32_s trunc_f32_u trunc_f64_s trunc_f64_u';
  const convert = 'convert_i32_s convert_i32_u convert_i64_s convert_i64_u';
  add(0xa7, Immediate.none, 0, `i32.wrap_i64 ${typed('i32', truncate)}`);
  add(0xac, Immediate.none, 0, `i64.extend_i32_s i64.extend_i32_u ${typed('i64', truncate)}`);
  add(0xb2, Immediate.none, 0, `${typed('f32', convert)} f32.demote_f64`);
  add(0xb7, Immediate.none, 0, `${typed('f64', convert)} f64.promote_f32`);
  const reinterpret = 'i32.reinterpret_f32 i64.reinterpret_f64 f32.reinterpret_i32';
  add(0xbc, Immediate.none, 0, `${reinterpret} f64.reinterpret_i64`);
  const extend = 'i32.extend8_s i32.extend16_s i64.extend8_s i64.extend16_s i64.extend32_s';
  add(0xc0, Immediate.none, 0, extend);
}

function addBulk(add: Add): void {
  const saturate = 'trunc_sat_f32_s trunc_sat_f32_u trunc_sat_f64_s trunc_sat_f64_u';
  add(BULK_BASE, Immediate.none, 0, `${typed('i32', saturate)} ${typed('i64', saturate)}`);
  add(0x108, Immediate.segmentMemory, -3, 'memory.init');
  add(0x109, Immediate.index, 0, 'data.drop');
  add(0x10a, Immediate.memoryPair, -3, 'memory.copy');
  add(0x10b, Immediate.memory, -3, 'memory.fill');
  add(0x10c, Immediate.twoIndices, -3, 'table.init');
  add(0x10d, Immediate.index, 0, 'elem.drop');
  add(0x10e, Immediate.twoIndices, -3, 'table.copy');
  add(0x10f, Immediate.index, -1, 'table.grow');
  add(0x110, Immediate.index, 1, 'table.size');
  add(0x111, Immediate.index, -3, 'table.fill');
}
