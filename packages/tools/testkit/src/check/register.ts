// The model of a register whose every change has a version, counted from 1: put, compare-and-set, delete, get.

import type { Model, Operation } from './linearizability.js';

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

/**
 * The model for one history: what was read of it says where an operation without an answer stood, and which of them
 * nobody can tell apart. Without that the search tries all ways to fill the versions that nobody was told of.
 */
export function registerModelFor(
  operations: readonly Operation<RegisterInput, RegisterOutput>[],
): Model<Register, RegisterInput, RegisterOutput> {
  const valueAt = new Map<number, string | undefined>();
  const seenAt = new Map<string, number>();
  const writers = new Map<string, number>();
  for (const { input, answer } of operations) {
    const { output } = answer ?? {};
    if (output?.kind === 'got') {
      valueAt.set(output.version, output.value);
      if (output.value !== undefined) seenAt.set(output.value, output.version);
    }
    if ('value' in input) writers.set(input.value, (writers.get(input.value) ?? 0) + 1);
  }
  return {
    ...registerModel,

    step(register, input, output) {
      if (output === undefined && 'value' in input && writers.get(input.value) === 1) {
        const version = seenAt.get(input.value);
        if (version !== undefined && version !== register.version + 1) return undefined;
      }
      const after = registerModel.step(register, input, output);
      if (after === undefined || after === register || !valueAt.has(after.version)) return after;
      return valueAt.get(after.version) === after.value ? after : undefined;
    },

    alike(input) {
      if (input.kind === 'delete' || input.kind === 'get') return input.kind;
      if (seenAt.has(input.value)) return undefined;
      return input.kind === 'put' ? 'put' : `compareAndSet ${input.version}`;
    },
  };
}

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
