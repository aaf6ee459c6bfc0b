// The guest ABI, version 1, as tables: the host functions with their types, and the numbers that stand for
// roots, kinds, operations, fields and levels. docs/machine-abi.md is its specification; a test holds the
// two together. Nothing here may change its meaning: modules that are deployed rely on it.

import { type FunctionType, ValueType } from '../binary/value-types.js';

/** The module name of all imports. A later ABI that breaks this one will use another. */
export const ABI_MODULE = 'deltabase';

const { i32, f64 } = ValueType;

/** Every host function by name, with its type. */
export const HOST_FUNCTIONS = {
  read: type([i32, i32, i32], [i32]),
  take: type([i32], []),
  read_text: type([i32, i32, i32], [i32]),
  read_number: type([i32, i32, i32], [f64]),
  read_kind: type([i32, i32, i32], [i32]),
  read_count: type([i32, i32, i32], [i32]),
  read_keys: type([i32, i32, i32, i32, i32, i32], [i32]),
  context: type([i32], [i32]),
  emit: type([i32, i32, i32, i32, i32], []),
  emit_text: type([i32, i32, i32, i32, i32], []),
  emit_number: type([i32, i32, i32, f64], []),
  reply: type([i32, i32], []),
  reply_text: type([i32, i32], []),
  reply_number: type([f64], []),
  reject: type([i32, i32], []),
  now: type([], [f64]),
  random: type([], [i32]),
  log: type([i32, i32, i32], []),
} as const satisfies Record<string, FunctionType>;

/** The name of a host function. */
export type HostFunctionName = keyof typeof HOST_FUNCTIONS;

/** Whether `name` is a host function of this version. */
export function isHostFunction(name: string): name is HostFunctionName {
  return Object.hasOwn(HOST_FUNCTIONS, name);
}

/** What a read is from: the document's state, with what this message emitted, or the payload. */
export const Root = { state: 0, message: 1 } as const;

/** Kinds of values, as `read_kind` tells them; 0: there is no value. */
export const KIND_NUMBERS = {
  none: 0,
  null: 1,
  false: 2,
  true: 3,
  number: 4,
  string: 5,
  array: 6,
  object: 7,
} as const;

/** What `read`, `read_text`, `read_count` and `read_keys` return instead of a length. */
export const Missing = { none: -1, otherKind: -2 } as const;

/** Operations of `emit`, in the order of their numbers. */
export const OPERATIONS = ['add', 'remove', 'replace', 'move', 'copy', 'test'] as const;

/** Fields of `context`, in the order of their numbers. */
export const CONTEXT_FIELDS = ['space', 'key', 'channel', 'principal', 'messageId'] as const;

/** Levels of `log`, in the order of their numbers. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** What exports of a machine begin with when they handle a channel. */
export const HANDLER_PREFIX = 'on_';

/** Exports that version 1 does not use and a later version will: refused, so that they can come. */
export const RESERVED_EXPORTS = /^(query|query_.*|authorize|migrate|timer_.*)$/;

function type(params: readonly number[], results: readonly number[]): FunctionType {
  return { params, results };
}
