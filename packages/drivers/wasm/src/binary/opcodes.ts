// Numbers of the binary format: kinds of immediates and the opcodes that the meter looks at.
// Opcodes behind a prefix byte are numbered on: 0xfc n is 0x100 + n, 0xfd n is 0x200 + n.

/** What follows an opcode. */
export const Immediate = {
  none: 0,
  blockType: 1,
  index: 2, // a label, function, local, global, table or segment
  twoIndices: 3, // call_indirect, table.init, table.copy
  labels: 4, // br_table
  types: 5, // select with types
  memory: 6, // one zero byte
  memoryPair: 7, // two zero bytes
  segmentMemory: 8, // a segment index and a zero byte
  memArg: 9, // alignment and offset
  memArgLane: 10,
  lane: 11,
  i32: 12,
  i64: 13,
  f32: 14,
  f64: 15,
  bytes16: 16, // v128.const, i8x16.shuffle
  heapType: 17,
} as const;

/** The opcodes that the meter looks at. */
export const Op = {
  unreachable: 0x00,
  nop: 0x01,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  tableSet: 0x26,
  memorySize: 0x3f,
  memoryGrow: 0x40,
  i32Const: 0x41,
  i32Eqz: 0x45,
  i32Eq: 0x46,
  i32LtS: 0x48,
  i32GtU: 0x4b,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32Mul: 0x6c,
  i32Or: 0x72,
  i32ShrU: 0x76,
  memoryInit: 0x108,
  dataDrop: 0x109,
  memoryCopy: 0x10a,
  memoryFill: 0x10b,
  tableInit: 0x10c,
  elemDrop: 0x10d,
  tableCopy: 0x10e,
  tableGrow: 0x10f,
  tableFill: 0x111,
} as const;

/** The first number of the opcodes behind 0xfc. */
export const BULK_BASE = 0x100;
/** The first number of the opcodes behind 0xfd: those from here on work on 128-bit vectors. */
export const SIMD_BASE = 0x200;

/** The feature that an opcode outside the table belongs to, in words for the author of a module. */
export function featureOf(code: number): string {
  if (code === 0xfb) return 'garbage collected types';
  if (code === 0xfe) return 'threads';
  if (code >= 0x12 && code <= 0x13) return 'tail calls';
  if (code === 0x14 || code === 0x15 || (code >= 0xd3 && code <= 0xd6)) {
    return 'typed function references';
  }
  if ((code >= 0x06 && code <= 0x0a) || code === 0x18 || code === 0x19 || code === 0x1f) {
    return 'exceptions';
  }
  return 'an unknown instruction';
}
