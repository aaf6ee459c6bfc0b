// Handlers for tests, written call by call: each text that a call names is put into memory for it.

import type { Limits } from '@deltabase/base';
import type { Json } from '@deltabase/delta';
import type { Call, Outcome } from '@deltabase/engine';
import type { ModuleSource } from './assembler.js';
import { type Bench, benchOf, HOST_IMPORTS } from './harness.js';

/** Where takes go in memory, above all texts. */
export const TAKEN = 32_768;

/** Code that leaves the address and length of a text on the stack. */
export type TextOf = (text: string | Uint8Array) => string;

export interface ScriptOptions {
  readonly state?: Json;
  readonly limits?: Limits;
  readonly module?: Partial<ModuleSource>;
}

/** A machine whose handler `on_a` is what `write` returns. */
export function script(write: (text: TextOf) => string, options: ScriptOptions = {}): Bench {
  const data: [number, Uint8Array][] = [];
  let at = 16;
  const text: TextOf = (content) => {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    const address = at;
    data.push([address, bytes]);
    at += bytes.length;
    return `i32.const ${address} i32.const ${bytes.length}`;
  };
  const code = write(text);
  const { module, ...rest } = options;
  const { functions, ...parts } = module ?? {};
  return benchOf(
    {
      imports: HOST_IMPORTS,
      data,
      ...parts,
      functions: { on_a: { locals: 'i32 i32 f64', code }, ...functions },
    },
    rest,
  );
}

/** What becomes of one message to `script(write)`. */
export function runScript(
  write: (text: TextOf) => string,
  options: ScriptOptions & { readonly payload?: Json; readonly call?: Partial<Call> } = {},
): Outcome & { readonly state: Json } {
  const { payload = null, call, ...rest } = options;
  const bench = script(write, rest);
  const outcome = bench.send('a', payload, call);
  return { ...outcome, state: bench.state() };
}

/** Code that replies with the text that is staged, whose length lies on the stack. */
export const REPLY_STAGED = `local.set 0 i32.const ${TAKEN} call $take
  i32.const ${TAKEN} local.get 0 call $reply_text`;

/** Code that replies with the i32 on the stack. */
export const REPLY_I32 = 'f64.convert_i32_s call $reply_number';
