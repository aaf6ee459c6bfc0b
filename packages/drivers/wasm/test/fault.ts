// Sends hostile messages: each must fail with its code and leave no trace (LogicCannotHurtTheHost).

import assert from 'node:assert/strict';
import type { ModuleSource } from './assembler.js';
import { codeOf, replyOf } from './harness.js';
import { type ScriptOptions, script, type TextOf } from './script.js';

/** A hostile message may take this long: what its fuel buys, with room for a busy machine. */
const MS_MAX = 1500;

/**
 * Sends `bad` twice with a good message behind each: it must fail with `code`, quickly, and the good ones
 * must not notice. Returns what the failure says.
 */
export function fault(
  code: string,
  bad: (text: TextOf) => string,
  options: ScriptOptions = {},
): string {
  const module: Partial<ModuleSource> = { memory: [1, 4], ...options.module };
  const functions = { ...module.functions, on_good: 'f64.const 42 call $reply_number' };
  const bench = script(bad, { ...options, module: { ...module, functions } });
  const before = bench.state();
  let message = '';
  for (let i = 0; i < 2; i++) {
    const started = performance.now();
    const outcome = bench.send('a');
    const took = performance.now() - started;
    assert.equal(codeOf(outcome), code, outcome.kind === 'failed' ? outcome.message : '');
    assert.ok(took < MS_MAX, `it took ${took} ms`);
    assert.ok(outcome.fuel > 0 && outcome.logs.length === 0);
    assert.deepEqual(bench.state(), before);
    assert.equal(replyOf(bench.send('good')), 42);
    if (outcome.kind === 'failed') message = outcome.message;
  }
  return message;
}
