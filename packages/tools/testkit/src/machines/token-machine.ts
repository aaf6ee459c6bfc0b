// A machine for tests of promises. A document is a list of tokens, and each message that takes effect appends its own,
// so that the list at seq n has n tokens: what is lost, doubled or out of order shows. Or it is a register, whose
// version is its seq. The same in AssemblyScript is in machines/tokens.

import { DeltabaseError, encodeUtf8 } from '@deltabase/base';
import { count, type Draft, fromJson, isArray, type Json, toJson } from '@deltabase/delta';
import type { MachineHost } from '@deltabase/engine';
import { makeScriptMachines, type ScriptCall } from './script-machines.js';

/** What the machine does with lists, by channel; each message's payload is `{"token": text}`. */
const LIST_CHANNELS = {
  /** Appends the token. Reply: how many there are then, which is the seq. */
  append: ({ draft, payload }: ScriptCall) => append(draft, tokenOf(payload)),
  /** Appends it with some hundred bytes behind it. */
  append_much: ({ draft, payload, random }: ScriptCall) => {
    const padding = random.next().toString(36).repeat(40);
    return append(draft, `${tokenOf(payload)} ${padding}`);
  },
  /** Changes nothing. Reply: how many tokens there are. */
  look: ({ draft }: ScriptCall) => tokensIn(draft),
  /** Refuses, and says how many tokens there are. */
  refuse: ({ draft }: ScriptCall): never => {
    throw new DeltabaseError('REJECTED', String(tokensIn(draft)));
  },
  /** Appends, then fails: nothing of it may take effect. */
  append_and_refuse: ({ draft, payload }: ScriptCall): never => {
    append(draft, tokenOf(payload));
    throw new DeltabaseError('REJECTED', String(tokensIn(draft) - 1));
  },
  /** The same, but in the middle of it the logic breaks. */
  append_and_trap: ({ draft, payload }: ScriptCall): never => {
    append(draft, tokenOf(payload));
    throw new DeltabaseError('TRAPPED', 'unreachable');
  },
} as const;

/** What it does with registers. */
const REGISTER_CHANNELS = {
  /** Sets the value. Reply: the new version. */
  put: ({ draft, payload }: ScriptCall) => setValue(draft, tokenOf(payload)),
  /** The same if the register is at the payload's `version`. Reply: the new version, or false. */
  compare_and_set: ({ draft, payload }: ScriptCall) => {
    const { version } = payload as { readonly version: number };
    return registerIn(draft).version === version && setValue(draft, tokenOf(payload));
  },
  /** Removes the value. Reply: the new version. */
  delete: ({ draft }: ScriptCall) => {
    const { value } = registerIn(draft);
    if (value !== undefined) draft.emit({ op: 'remove', path: '/value' });
    return setVersion(draft);
  },
  /** Changes nothing. Reply: version and value. */
  get: ({ draft }: ScriptCall) => registerIn(draft) as unknown as Json,
} as const;

const CHANNELS = { ...LIST_CHANNELS, ...REGISTER_CHANNELS };

export type TokenChannel = keyof typeof LIST_CHANNELS;
export type RegisterChannel = keyof typeof REGISTER_CHANNELS;

/** Scripts that do the same under the names of different modules, so that one can replace the other. */
export const TOKEN_MODULES = ['tokens-1', 'tokens-2', 'tokens-3'].map(encodeUtf8);

/** A host for the modules. `ran` is told of each message that runs. */
export function makeTokenMachines(ran: (call: ScriptCall) => void = () => {}): MachineHost {
  const machine = {
    channels: Object.keys(CHANNELS),
    run: (script: ScriptCall) => {
      ran(script);
      return CHANNELS[script.call.channel as keyof typeof CHANNELS](script);
    },
  };
  return makeScriptMachines({ 'tokens-1': machine, 'tokens-2': machine, 'tokens-3': machine });
}

/** The token that an element of the list begins with. */
export function tokenIn(element: unknown): string {
  return String(element).split(' ')[0]!;
}

function append(draft: Draft, token: string): number {
  if (draft.get('') === null) draft.emit({ op: 'add', path: '', value: fromJson([]) });
  draft.emit({ op: 'add', path: '/-', value: token });
  return tokensIn(draft);
}

function tokensIn(draft: Draft): number {
  const tokens = draft.get('');
  return tokens !== undefined && tokens !== null && isArray(tokens) ? count(tokens) : 0;
}

function tokenOf(payload: unknown): string {
  return String((payload as { readonly token?: unknown } | null)?.token);
}

function registerIn(draft: Draft): { readonly version: number; readonly value?: string } {
  const state = draft.get('');
  if (state === undefined || state === null) return { version: 0 };
  return toJson(state) as unknown as { readonly version: number; readonly value?: string };
}

function setValue(draft: Draft, value: string): number {
  if (draft.get('') === null) draft.emit({ op: 'add', path: '', value: fromJson({}) });
  draft.emit({ op: 'add', path: '/value', value });
  return setVersion(draft);
}

function setVersion(draft: Draft): number {
  if (draft.get('') === null) draft.emit({ op: 'add', path: '', value: fromJson({}) });
  const version = (registerIn(draft).version ?? 0) + 1;
  draft.emit({ op: 'add', path: '/version', value: version });
  return version;
}
