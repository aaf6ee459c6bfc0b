// The model of a register whose every change has a version, counted from 1: put, compare-and-set, delete, get.

import type { Model } from './linearizability.js';

export interface Register {
  /** Changes so far. */
  readonly version: number;
  /** `undefined`: there is none. */
  readonly value: string | undefined;
}

export type RegisterInput =
  | { readonly kind: 'put'; readonly value: string }
  /** Changes the value only if the register is at `version`. */
  | { readonly kind: 'compareAndSet'; readonly version: number; readonly value: string }
  | { readonly kind: 'delete' }
  | { readonly kind: 'get' };

export type RegisterOutput =
  /** The version that the operation made. */
  | { readonly kind: 'changed'; readonly version: number }
  /** The register was at another version than expected. */
  | { readonly kind: 'conflict' }
  | { readonly kind: 'got'; readonly version: number; readonly value: string | undefined };

export const registerModel: Model<Register, RegisterInput, RegisterOutput> = {
  start: { version: 0, value: undefined },

  step(register, input, output) {
    const { after, gives } = perform(register, input);
    return output === undefined || isEqual(gives, output) ? after : undefined;
  },

  changes: ({ kind }, output) => kind !== 'get' && output?.kind !== 'conflict',

  key: ({ version, value }) => `${version} ${value ?? ''} ${value === undefined}`,
};

function perform(
  register: Register,
  input: RegisterInput,
): { readonly after: Register; readonly gives: RegisterOutput } {
  if (input.kind === 'get') return { after: register, gives: { kind: 'got', ...register } };
  if (input.kind === 'compareAndSet' && input.version !== register.version) {
    return { after: register, gives: { kind: 'conflict' } };
  }
  const version = register.version + 1;
  const value = input.kind === 'delete' ? undefined : input.value;
  return { after: { version, value }, gives: { kind: 'changed', version } };
}

function isEqual(a: RegisterOutput, b: RegisterOutput): boolean {
  if (a.kind === 'conflict' || b.kind === 'conflict') return a.kind === b.kind;
  if (a.kind !== b.kind || a.version !== b.version) return false;
  return a.kind !== 'got' || b.kind !== 'got' || a.value === b.value;
}
