// The 128-bit vector instructions of the opcode table (core specification 5.4.8), all behind 0xfd.

import { type Add, typed } from './opcode-names.js';
import { Immediate } from './opcodes.js';

/** Loads, stores, constants, shuffles and lanes. */
export function addSimdMemory(add: Add): void {
  const widen = 'load8x8_s load8x8_u load16x4_s load16x4_u load32x2_s load32x2_u';
  const splat = 'load8_splat load16_splat load32_splat load64_splat';
  add(0x200, Immediate.memArg, 0, typed('v128', `load ${widen} ${splat}`));
  add(0x20b, Immediate.memArg, -2, 'v128.store');
  add(0x20c, Immediate.bytes16, 1, 'v128.const');
  add(0x20d, Immediate.bytes16, -1, 'i8x16.shuffle');
  add(0x20e, Immediate.none, -1, 'i8x16.swizzle');
  const splats = 'i8x16.splat i16x8.splat i32x4.splat i64x2.splat f32x4.splat f64x2.splat';
  add(0x20f, Immediate.none, 0, splats);
  add(0x215, Immediate.lane, 0, 'i8x16.extract_lane_s i8x16.extract_lane_u');
  add(0x217, Immediate.lane, -1, 'i8x16.replace_lane');
  add(0x218, Immediate.lane, 0, 'i16x8.extract_lane_s i16x8.extract_lane_u');
  add(0x21a, Immediate.lane, -1, 'i16x8.replace_lane');
  ['i32x4', 'i64x2', 'f32x4', 'f64x2'].forEach((shape, i) => {
    add(0x21b + 2 * i, Immediate.lane, 0, `${shape}.extract_lane`);
    add(0x21c + 2 * i, Immediate.lane, -1, `${shape}.replace_lane`);
  });
  add(0x254, Immediate.memArgLane, -1, typed('v128', lanes('load')));
  add(0x258, Immediate.memArgLane, -2, typed('v128', lanes('store')));
  add(0x25c, Immediate.memArg, 0, 'v128.load32_zero v128.load64_zero');
}

/** Everything that works on vectors alone. */
export function addSimd(add: Add): void {
  const compare = 'eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u';
  const unary = (first: number, names: string) => add(first, Immediate.none, 0, names);
  const binary = (first: number, names: string) => add(first, Immediate.none, -1, names);
  binary(0x223, typed('i8x16', compare));
  binary(0x22d, typed('i16x8', compare));
  binary(0x237, typed('i32x4', compare));
  binary(0x241, typed('f32x4', 'eq ne lt gt le ge'));
  binary(0x247, typed('f64x2', 'eq ne lt gt le ge'));
  unary(0x24d, 'v128.not');
  binary(0x24e, 'v128.and v128.andnot v128.or v128.xor');
  add(0x252, Immediate.none, -2, 'v128.bitselect');
  unary(0x253, 'v128.any_true');
  unary(0x25e, 'f32x4.demote_f64x2_zero f64x2.promote_low_f32x4');
  unary(0x260, typed('i8x16', 'abs neg popcnt all_true bitmask'));
  binary(0x265, 'i8x16.narrow_i16x8_s i8x16.narrow_i16x8_u');
  unary(0x267, typed('f32x4', 'ceil floor trunc nearest'));
  binary(0x26b, typed('i8x16', 'shl shr_s shr_u add add_sat_s add_sat_u sub sub_sat_s sub_sat_u'));
  unary(0x274, 'f64x2.ceil f64x2.floor');
  binary(0x276, typed('i8x16', 'min_s min_u max_s max_u'));
  unary(0x27a, 'f64x2.trunc');
  binary(0x27b, 'i8x16.avgr_u');
  unary(0x27c, typed('i16x8', 'extadd_pairwise_i8x16_s extadd_pairwise_i8x16_u'));
  unary(0x27e, typed('i32x4', 'extadd_pairwise_i16x8_s extadd_pairwise_i16x8_u'));
  unary(0x280, 'i16x8.abs i16x8.neg');
  binary(0x282, 'i16x8.q15mulr_sat_s');
  unary(0x283, 'i16x8.all_true i16x8.bitmask');
  binary(0x285, 'i16x8.narrow_i32x4_s i16x8.narrow_i32x4_u');
  unary(0x287, typed('i16x8', extend('extend', 'i8x16')));
  binary(0x28b, typed('i16x8', 'shl shr_s shr_u add add_sat_s add_sat_u sub sub_sat_s sub_sat_u'));
  unary(0x294, 'f64x2.nearest');
  binary(0x295, typed('i16x8', 'mul min_s min_u max_s max_u'));
  binary(0x29b, `i16x8.avgr_u ${typed('i16x8', extend('extmul', 'i8x16'))}`);
  unary(0x2a0, 'i32x4.abs i32x4.neg . i32x4.all_true i32x4.bitmask');
  unary(0x2a7, typed('i32x4', extend('extend', 'i16x8')));
  binary(0x2ab, 'i32x4.shl i32x4.shr_s i32x4.shr_u i32x4.add . . i32x4.sub');
  binary(0x2b5, typed('i32x4', 'mul min_s min_u max_s max_u dot_i16x8_s'));
  binary(0x2bc, typed('i32x4', extend('extmul', 'i16x8')));
  unary(0x2c0, 'i64x2.abs i64x2.neg . i64x2.all_true i64x2.bitmask');
  unary(0x2c7, typed('i64x2', extend('extend', 'i32x4')));
  binary(0x2cb, 'i64x2.shl i64x2.shr_s i64x2.shr_u i64x2.add . . i64x2.sub . . . i64x2.mul');
  binary(0x2d6, typed('i64x2', 'eq ne lt_s gt_s le_s ge_s'));
  binary(0x2dc, typed('i64x2', extend('extmul', 'i32x4')));
  unary(0x2e0, 'f32x4.abs f32x4.neg . f32x4.sqrt');
  binary(0x2e4, typed('f32x4', 'add sub mul div min max pmin pmax'));
  unary(0x2ec, 'f64x2.abs f64x2.neg . f64x2.sqrt');
  binary(0x2f0, typed('f64x2', 'add sub mul div min max pmin pmax'));
  unary(0x2f8, 'i32x4.trunc_sat_f32x4_s i32x4.trunc_sat_f32x4_u');
  unary(0x2fa, 'f32x4.convert_i32x4_s f32x4.convert_i32x4_u');
  unary(0x2fc, 'i32x4.trunc_sat_f64x2_s_zero i32x4.trunc_sat_f64x2_u_zero');
  unary(0x2fe, 'f64x2.convert_low_i32x4_s f64x2.convert_low_i32x4_u');
}

function lanes(verb: string): string {
  return ['8', '16', '32', '64'].map((width) => `${verb}${width}_lane`).join(' ');
}

function extend(verb: string, from: string): string {
  return ['s', 'u']
    .flatMap((sign) => ['low', 'high'].map((half) => `${verb}_${half}_${from}_${sign}`))
    .join(' ');
}
