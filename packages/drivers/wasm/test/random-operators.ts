// What random-module.ts builds expressions of. Operators that would tell the bits of a NaN are left out.

import type { Prng } from '@deltabase/base';

/** The types that expressions have. */
export type Type = 'i32' | 'i64' | 'f32' | 'f64';

export const TYPES: readonly Type[] = ['i32', 'i64', 'f32', 'f64'];

export const INTEGER =
  'add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr'.split(' ');
export const INTEGER_COMPARE = 'eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u'.split(' ');
export const FLOAT = 'add sub mul div min max'.split(' ');
export const FLOAT_COMPARE = 'eq ne lt gt le ge'.split(' ');
export const FLOAT_UNARY = 'abs neg ceil floor trunc nearest sqrt'.split(' ');
export const CONVERSIONS: Readonly<Record<Type, readonly (readonly [string, Type])[]>> = {
  i32: [
    ['i32.wrap_i64', 'i64'],
    ['i32.trunc_f32_s', 'f32'],
    ['i32.trunc_f64_u', 'f64'],
    ['i32.trunc_sat_f32_u', 'f32'],
    ['i32.trunc_sat_f64_s', 'f64'],
    ['i64.eqz', 'i64'],
  ],
  i64: [
    ['i64.extend_i32_s', 'i32'],
    ['i64.extend_i32_u', 'i32'],
    ['i64.trunc_sat_f64_s', 'f64'],
    ['i64.trunc_f32_s', 'f32'],
    ['i64.extend32_s', 'i64'],
  ],
  f32: [
    ['f32.convert_i32_s', 'i32'],
    ['f32.convert_i64_u', 'i64'],
    ['f32.demote_f64', 'f64'],
    ['f32.reinterpret_i32', 'i32'],
  ],
  f64: [
    ['f64.convert_i32_u', 'i32'],
    ['f64.convert_i64_s', 'i64'],
    ['f64.promote_f32', 'f32'],
    ['f64.reinterpret_i64', 'i64'],
  ],
};

/** One of `list`. */
export function pick<T>(prng: Prng, list: readonly T[]): T {
  return list[prng.below(list.length)]!;
}

/** A constant of `type` as the assembler reads it. */
export function constant(prng: Prng, type: Type): string {
  const small = prng.below(2) === 0;
  if (type === 'f32' || type === 'f64') {
    return pick(prng, ['0', '-0', '1.5', '-3', '1e10', 'Infinity', '0.1', String(prng.next())]);
  }
  if (small) return String(prng.below(20) - 5);
  return type === 'i32' ? String(prng.next()) : String(prng.next() * 2 ** 20);
}
