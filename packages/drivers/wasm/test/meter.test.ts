// The meter must not change what code does, must charge for all of it, and must say the same every time.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS, makePrng } from '@deltabase/base';
import { readModule } from '../src/binary/read-module.js';
import { CALL_FUEL } from '../src/meter/costs.js';
import { meterModule, planModule } from '../src/meter/meter-module.js';
import { MeterExport } from '../src/meter/symbols.js';
import { wasm } from '../src/webassembly.js';
import { assemble } from './assembler.js';
import { type RandomModule, randomModule } from './random-module.js';

const FUEL = 300_000;
const MODULES = 250;

type Exports = Readonly<Record<string, (...args: unknown[]) => unknown>>;

interface Observed {
  readonly results: readonly string[];
  readonly memory: Buffer;
  readonly globals: readonly unknown[];
}

function meter(bytes: Uint8Array): Uint8Array {
  const layout = readModule(bytes, DEFAULT_LIMITS);
  const plans = planModule(layout);
  assert.ok(wasm.validate(bytes), 'the module is valid');
  for (const [i, plan] of plans.entries()) assert.ok(plan.balanced, `function ${i} is balanced`);
  const metered = meterModule(layout, plans, DEFAULT_LIMITS.memoryPagesMax);
  assert.ok(wasm.validate(metered), 'the metered module is valid');
  return metered;
}

function exportsOf(bytes: Uint8Array): Exports {
  return new wasm.Instance(new wasm.Module(bytes), {}).exports as unknown as Exports;
}

/** Arguments for each call, the same for both modules. */
function callsOf(module: RandomModule, seed: number): [string, unknown[]][] {
  const prng = makePrng(seed).fork('arguments');
  return module.functions.map(({ name, params }) => [
    name,
    params.map((type) => {
      const small = prng.below(40) - 10;
      return type === 'i64' ? BigInt(small) : small;
    }),
  ]);
}

function show(value: unknown): string {
  return Array.isArray(value)
    ? value.map(show).join()
    : Object.is(value, -0)
      ? '-0'
      : String(value);
}

/** Calls everything; `undefined` where the meter stopped something, so that there is nothing to compare. */
function observe(exports: Exports, module: RandomModule, seed: number, metered: boolean) {
  const results: string[] = [];
  let fuel = 0;
  for (const [name, args] of callsOf(module, seed)) {
    if (metered) exports[MeterExport.enter]!(FUEL, DEFAULT_LIMITS.stackBytesMax);
    const before = exports['steps']!() as bigint;
    try {
      results.push(show(exports[name]!(...args)));
    } catch (error) {
      if (!(error instanceof wasm.RuntimeError)) return undefined;
      results.push(error.message);
    }
    if (!metered) continue;
    const left = exports[MeterExport.fuel]!() as number;
    if (left < 0 || (exports[MeterExport.stack]!() as number) < 0) return undefined;
    const used = FUEL - left;
    const steps = Number((exports['steps']!() as bigint) - before);
    // The first call is paid by who calls from outside.
    assert.ok(used + CALL_FUEL >= steps, `seed ${seed}, ${name}: ${used} units for ${steps} steps`);
    fuel += used;
  }
  const memory = (exports['memory'] as unknown as { buffer: ArrayBuffer }).buffer;
  const globals = [0, 1, 2, 3, 4].map((i) => show(exports[`global${i}`]!()));
  const observed: Observed = { results, memory: Buffer.from(memory.slice(0)), globals };
  return { observed, fuel };
}

test('metered modules do what the plain ones do, and pay for every step', () => {
  let compared = 0;
  let trapped = 0;
  for (let seed = 1; seed <= MODULES; seed++) {
    const module = randomModule(makePrng(seed));
    const bytes = assemble(module.source);
    const metered = meter(bytes);
    const ours = observe(exportsOf(metered), module, seed, true);
    const again = observe(exportsOf(metered), module, seed, true);
    assert.deepEqual(again?.fuel, ours?.fuel, `seed ${seed}: the same fuel every time`);
    if (ours === undefined) continue;
    const plain = observe(exportsOf(bytes), module, seed, false);
    assert.ok(
      plain !== undefined,
      `seed ${seed}: the plain module ran too deep, the metered did not`,
    );
    assert.deepEqual(ours.observed.results, plain.observed.results, `seed ${seed}`);
    assert.deepEqual(ours.observed.globals, plain.observed.globals, `seed ${seed}`);
    assert.ok(ours.observed.memory.equals(plain.observed.memory), `seed ${seed}: memory`);
    compared++;
    if (ours.observed.results.some((result) => /[a-z] [a-z]/.test(result))) trapped++;
  }
  // The generator is worth something only if most modules come to an end, some by traps.
  assert.ok(compared > MODULES * 0.6, `${compared} of ${MODULES} were compared`);
  assert.ok(trapped > MODULES * 0.05 && trapped < MODULES * 0.9, `${trapped} trapped`);
});
