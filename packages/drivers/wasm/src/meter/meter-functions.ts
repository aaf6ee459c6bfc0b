// The functions that the meter adds to a module: called by inserted code (grow, charge*, markDirty) or by
// the host (enter, capture, restore, ...). Written here instruction by instruction.

import { ByteWriter } from '../binary/byte-writer.js';
import type { ModuleLayout } from '../binary/module-layout.js';
import { Op } from '../binary/opcodes.js';
import { type FunctionType, ValueType } from '../binary/value-types.js';
import { TABLE_ELEMENTS_MAX } from '../module-limits.js';
import { BULK_BYTES_SHIFT, GROW_FUEL, PAGE_FUEL } from './costs.js';
import { Flag, MeterExport, type MeterSymbols } from './symbols.js';

/** A function to be added: its type, its body without the length in front, its name for the host. */
export interface MeterFunction {
  readonly type: FunctionType;
  readonly body: Uint8Array;
  readonly exportName: string | undefined;
}

/** A mutable global of the module and the place that keeps its value between messages. */
export interface Shadow {
  readonly global: number;
  readonly shadow: number;
}

const { i32 } = ValueType;
const TYPES = {
  action: { params: [], results: [] },
  read: { params: [], results: [i32] },
  write: { params: [i32], results: [] },
  writeTwo: { params: [i32, i32], results: [] },
  map: { params: [i32], results: [i32] },
} as const;

/** The places of the functions that inserted code calls, in the list that `meterFunctions` returns. */
export const MeterFunctionPlace = {
  grow: 0,
  chargeBytes: 1,
  chargeElements: 2,
  markDirty: 3,
} as const;

/** All functions to be added to `layout`. Those that need a memory trap if there is none. */
export function meterFunctions(
  layout: ModuleLayout,
  symbols: MeterSymbols,
  shadows: readonly Shadow[],
  pagesMax: number,
): readonly MeterFunction[] {
  const { fuel, stack, flags } = symbols;
  const hasMemory = layout.memories.length > 0;
  return [
    inner(TYPES.map, hasMemory ? growBody(symbols, pagesMax) : TRAP),
    inner(TYPES.map, hasMemory ? chargeBytesBody(fuel) : TRAP),
    inner(TYPES.map, chargeElementsBody(fuel)),
    inner(TYPES.action, code(0, raise(flags, Flag.dirty))),
    outer(TYPES.writeTwo, MeterExport.enter, enterBody(symbols)),
    outer(
      TYPES.action,
      MeterExport.capture,
      copyGlobals(shadows, (s) => [s.global, s.shadow]),
    ),
    outer(
      TYPES.action,
      MeterExport.restore,
      copyGlobals(shadows, (s) => [s.shadow, s.global]),
    ),
    outer(TYPES.read, MeterExport.fuel, code(0, [Op.globalGet, ...u32(fuel)])),
    outer(TYPES.read, MeterExport.stack, code(0, [Op.globalGet, ...u32(stack)])),
    outer(TYPES.read, MeterExport.flags, code(0, [Op.globalGet, ...u32(flags)])),
    outer(TYPES.write, MeterExport.charge, code(0, charge(fuel, [Op.localGet, 0]))),
  ];
}

const EMPTY = 0x40;
const TRAP = code(0, [Op.unreachable]);

function inner(type: FunctionType, body: Uint8Array): MeterFunction {
  return { type, body, exportName: undefined };
}

function outer(type: FunctionType, exportName: string, body: Uint8Array): MeterFunction {
  return { type, body, exportName };
}

/** A body with `locals` i32 locals beside the parameters. */
function code(locals: number, instructions: readonly number[]): Uint8Array {
  const declarations = locals === 0 ? [0] : [1, ...u32(locals), i32];
  return Uint8Array.from([...declarations, ...instructions, Op.end]);
}

/** fuel -= amount; traps below zero. `amount` is code that leaves an i32. */
function charge(fuel: number, amount: readonly number[]): number[] {
  return [
    ...[Op.globalGet, ...u32(fuel), ...amount, Op.i32Sub, Op.globalSet, ...u32(fuel)],
    ...[Op.globalGet, ...u32(fuel), ...i32Const(0), Op.i32LtS],
    ...[Op.if, EMPTY, Op.unreachable, Op.end],
  ];
}

/** flags |= flag */
function raise(flags: number, flag: number): number[] {
  return [
    ...[Op.globalGet, ...u32(flags), ...i32Const(flag), Op.i32Or],
    ...[Op.globalSet, ...u32(flags)],
  ];
}

/**
 * memory.grow, with its price. Growing by nothing only tells the size: it must not detach the memory's
 * buffer. More than `pagesMax` is refused without asking, so that the product below cannot overflow.
 */
function growBody({ fuel, flags }: MeterSymbols, pagesMax: number): Uint8Array {
  const pages = [Op.localGet, 0];
  const price = [...pages, ...i32Const(PAGE_FUEL), Op.i32Mul, ...i32Const(GROW_FUEL), Op.i32Add];
  return code(1, [
    ...[...pages, Op.i32Eqz, Op.if, EMPTY, Op.memorySize, 0, Op.return, Op.end],
    ...[...pages, ...i32Const(pagesMax), Op.i32GtU, Op.if, EMPTY],
    ...[...raise(flags, Flag.growRefused), ...i32Const(-1), Op.return, Op.end],
    ...charge(fuel, price),
    ...[...pages, Op.memoryGrow, 0, Op.localTee, 1, ...i32Const(-1), Op.i32Eq, Op.if, EMPTY],
    ...[...raise(flags, Flag.growRefused), Op.else, ...raise(flags, Flag.dirty), Op.end],
    ...[Op.localGet, 1],
  ]);
}

/** A length that exceeds the memory costs nothing: the instruction behind will trap. */
function chargeBytesBody(fuel: number): Uint8Array {
  const length = [Op.localGet, 0];
  return code(0, [
    ...[...length, ...i32Const(16), Op.i32ShrU, Op.memorySize, 0, Op.i32GtU, Op.i32Eqz],
    ...[Op.if, EMPTY],
    ...charge(fuel, [...length, ...i32Const(BULK_BYTES_SHIFT), Op.i32ShrU]),
    ...[Op.end, ...length],
  ]);
}

/** A length that exceeds every table costs nothing: the instruction behind will trap or refuse. */
function chargeElementsBody(fuel: number): Uint8Array {
  const length = [Op.localGet, 0];
  return code(0, [
    ...[...length, ...i32Const(TABLE_ELEMENTS_MAX), Op.i32GtU, Op.i32Eqz, Op.if, EMPTY],
    ...charge(fuel, length),
    ...[Op.end, ...length],
  ]);
}

function enterBody({ fuel, stack, flags }: MeterSymbols): Uint8Array {
  return code(0, [
    ...[Op.localGet, 0, Op.globalSet, ...u32(fuel)],
    ...[Op.localGet, 1, Op.globalSet, ...u32(stack)],
    ...[...i32Const(0), Op.globalSet, ...u32(flags)],
  ]);
}

function copyGlobals(
  shadows: readonly Shadow[],
  direction: (shadow: Shadow) => readonly [number, number],
): Uint8Array {
  const out = new ByteWriter();
  out.u8(0);
  for (const shadow of shadows) {
    const [from, to] = direction(shadow);
    out.u8(Op.globalGet);
    out.u32(from);
    out.u8(Op.globalSet);
    out.u32(to);
  }
  out.u8(Op.end);
  return out.view();
}

function u32(value: number): readonly number[] {
  const out = new ByteWriter(8);
  out.u32(value);
  return [...out.view()];
}

function i32Const(value: number): readonly number[] {
  const out = new ByteWriter(8);
  out.u8(Op.i32Const);
  out.s32(value);
  return [...out.view()];
}
