// Question: what does metering cost? Workloads that are nothing but one kind of code, plain and metered, on
// one machine in one run. It does not show what a message costs: that is mostly host calls and restoring.
//   node packages/drivers/wasm/dist/test/overhead.js [MILLISECONDS]

import { pathToFileURL } from 'node:url';
import { DEFAULT_LIMITS } from '@deltabase/base';
import { readModule } from '../src/binary/read-module.js';
import { meterModule, planModule } from '../src/meter/meter-module.js';
import { MeterExport } from '../src/meter/symbols.js';
import { wasm } from '../src/webassembly.js';
import { assemble, type ModuleSource } from './assembler.js';

/** One row: medians in microseconds, and the result, which both must agree on. */
export interface Row {
  readonly workload: string;
  readonly plainUs: number;
  readonly meteredUs: number;
  readonly fuel: number;
  readonly result: number;
}

const until = (limit: number) => `i32.const ${limit} i32.lt_u br_if 0`;
const step = (local: number, by: number) =>
  `local.get ${local} i32.const ${by} i32.add local.tee ${local}`;

const WORKLOADS: Readonly<Record<string, ModuleSource['functions']>> = {
  'tight loop (6 instructions)': {
    main: {
      results: 'i32',
      locals: 'i32 i32',
      code: `loop local.get 1 local.get 0 i32.xor local.set 1 ${step(0, 1)} ${until(100_000)} end local.get 1`,
    },
  },
  'loop over memory (12 instructions)': {
    main: {
      results: 'i32',
      locals: 'i32 i32',
      code: `loop local.get 1 i32.const 5 i32.rotl local.get 0 i32.const 65532 i32.and i32.load i32.add
        local.set 1 ${step(0, 4)} ${until(400_000)} end local.get 1`,
    },
  },
  'recursion (fibonacci 20)': {
    main: { results: 'i32', code: 'i32.const 20 call $fib' },
    fib: {
      params: 'i32',
      results: 'i32',
      code: `local.get 0 i32.const 2 i32.lt_s if i32 local.get 0 else
        local.get 0 i32.const 1 i32.sub call $fib local.get 0 i32.const 2 i32.sub call $fib i32.add end`,
    },
  },
  'small calls in a loop': {
    main: {
      results: 'i32',
      locals: 'i32 i32',
      code: `loop local.get 1 local.get 0 call $mix local.set 1 ${step(0, 1)} ${until(50_000)} end local.get 1`,
    },
    mix: {
      params: 'i32 i32',
      results: 'i32',
      code: 'local.get 0 i32.const 31 i32.mul local.get 1 i32.add',
    },
  },
  'interpreter (br_table of 16 in a loop)': {
    main: { results: 'i32', locals: 'i32 i32', code: interpreter(16, 50_000) },
  },
};

/** A loop that does one of `cases` things each turn. */
function interpreter(cases: number, turns: number): string {
  const labels = Array.from({ length: cases }, (_, i) => i).join(' ');
  let code = `loop ${'block '.repeat(cases + 1)} local.get 0 i32.const ${cases - 1} i32.and br_table ${labels} `;
  for (let i = 0; i < cases; i++) {
    code += `end local.get 1 i32.const ${i * 77 + 1} i32.add i32.const ${i + 1} i32.rotl local.set 1 br ${cases - i - 1} `;
  }
  return `${code} end ${step(0, 1)} ${until(turns)} end local.get 1`;
}

interface Runnable {
  readonly run: () => number;
  readonly fuel: () => number;
}

const FUEL = 2 ** 31 - 1;

/** Measures all workloads for about `milliseconds` each. */
export function measureOverhead(milliseconds: number): readonly Row[] {
  return Object.entries(WORKLOADS).map(([workload, functions]) => {
    const bytes = assemble({ functions });
    const plain = runnable(bytes, false);
    const metered = runnable(meter(bytes), true);
    const result = metered.run();
    const fuel = FUEL - metered.fuel();
    if (plain.run() !== result) throw new Error(`${workload}: the results differ`);
    const [plainUs, meteredUs] = mediansOf([plain, metered], milliseconds);
    return { workload, plainUs: plainUs!, meteredUs: meteredUs!, fuel, result };
  });
}

function meter(bytes: Uint8Array): Uint8Array {
  const layout = readModule(bytes, DEFAULT_LIMITS);
  return meterModule(layout, planModule(layout), DEFAULT_LIMITS.memoryPagesMax);
}

function runnable(bytes: Uint8Array, metered: boolean): Runnable {
  const { exports } = new wasm.Instance(new wasm.Module(bytes), {});
  const found = (name: string) => exports[name] as (...args: number[]) => number;
  const main = found('main');
  if (!metered) return { run: main, fuel: () => 0 };
  const enter = found(MeterExport.enter);
  return {
    run() {
      enter(FUEL, DEFAULT_LIMITS.stackBytesMax);
      return main();
    },
    fuel: found(MeterExport.fuel),
  };
}

/** Medians of runs that take turns, so that what else the machine does falls on both. */
function mediansOf(runnables: readonly Runnable[], milliseconds: number): readonly number[] {
  const times: number[][] = runnables.map(() => []);
  // V8 compiles twice; the first runs are not what counts.
  for (const { run } of runnables) for (let i = 0; i < 20; i++) run();
  for (const started = performance.now(); performance.now() - started < milliseconds; ) {
    runnables.forEach(({ run }, i) => {
      const start = performance.now();
      run();
      times[i]!.push(performance.now() - start);
    });
  }
  return times.map((list) => list.sort((a, b) => a - b)[list.length >> 1]! * 1000);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const rows = measureOverhead(Number(process.argv[2] ?? 1000));
  for (const { workload, plainUs, meteredUs, fuel, result } of rows) {
    const percent = Math.round((meteredUs / plainUs - 1) * 100);
    const line = [
      workload.padEnd(40),
      plainUs.toFixed(0).padStart(7),
      meteredUs.toFixed(0).padStart(7),
      `${percent >= 0 ? '+' : ''}${percent} %`.padStart(7),
      (fuel / meteredUs / 1000).toFixed(2).padStart(6),
      `result ${result >>> 0}`,
    ];
    process.stdout.write(`${line.join('  ')}\n`);
  }
  process.stdout.write('columns: plain us, metered us, overhead, units of fuel a nanosecond\n');
}
