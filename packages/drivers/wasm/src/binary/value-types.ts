// Value types and function types of the binary format (core specification 5.3).

import { PARAMETERS_MAX, RESULTS_MAX } from '../module-limits.js';
import type { ByteReader } from './byte-reader.js';
import { invalid } from './invalid.js';

/** Value types by their byte. */
export const ValueType = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
  funcref: 0x70,
  externref: 0x6f,
} as const;

const KNOWN: ReadonlySet<number> = new Set(Object.values(ValueType));

/** Types of a function's parameters and results, one byte each. */
export interface FunctionType {
  readonly params: readonly number[];
  readonly results: readonly number[];
}

/** Whether `byte` is a value type. */
export function isValueType(byte: number): boolean {
  return KNOWN.has(byte);
}

/** Reads one value type. */
export function readValueType(reader: ByteReader): number {
  const at = reader.at;
  const type = reader.u8();
  if (KNOWN.has(type)) return type;
  if (type === 0x63 || type === 0x64) {
    throw invalid('the module uses typed function references, which a machine may not', at);
  }
  if (type >= 0x69 && type <= 0x74) {
    throw invalid('the module uses garbage collected or exception types, which it may not', at);
  }
  throw invalid(`0x${type.toString(16)} is not a value type`, at);
}

/** Reads one entry of the type section. */
export function readFunctionType(reader: ByteReader): FunctionType {
  const at = reader.at;
  const form = reader.u8();
  if (form >= 0x4e && form <= 0x5f) {
    throw invalid('the module uses garbage collected types, which a machine may not', at);
  }
  if (form !== 0x60) throw invalid(`0x${form.toString(16)} is not a form of type`, at);
  const params = readTypes(reader, 'parameters', PARAMETERS_MAX);
  const results = readTypes(reader, 'results', RESULTS_MAX);
  return { params, results };
}

function readTypes(reader: ByteReader, what: string, max: number): readonly number[] {
  const count = reader.count(what, max);
  const types: number[] = [];
  for (let i = 0; i < count; i++) types.push(readValueType(reader));
  return types;
}

/** Whether two function types are the same. */
export function sameType(a: FunctionType, b: FunctionType): boolean {
  return sameList(a.params, b.params) && sameList(a.results, b.results);
}

function sameList(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((type, i) => type === b[i]);
}

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(ValueType).map(([name, byte]) => [byte, name]),
);

/** A function type as text, such as `(i32, f64) -> i32`. */
export function typeText({ params, results }: FunctionType): string {
  const names = (types: readonly number[]) => types.map((type) => NAMES.get(type)).join(', ');
  return `(${names(params)}) -> ${results.length === 1 ? names(results) : `(${names(results)})`}`;
}
