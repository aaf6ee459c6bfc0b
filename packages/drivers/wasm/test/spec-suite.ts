// Runs scripts of the official WebAssembly test suite (github.com/WebAssembly/testsuite), as wast2json
// makes them, on plain and on metered modules: whatever the plain ones do, right or wrong, the metered ones
// must do, too. Only running out of stack may differ in how it is said.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_LIMITS, DeltabaseError, type Limits } from '@deltabase/base';
import { readModule } from '../src/binary/read-module.js';
import { meterModule, planModule } from '../src/meter/meter-module.js';
import { MeterExport } from '../src/meter/symbols.js';
import { wasm } from '../src/webassembly.js';

interface Value {
  readonly type: string;
  readonly value?: string;
}

interface Action {
  readonly type: string;
  readonly module?: string;
  readonly field: string;
  readonly args?: readonly Value[];
}

interface Command {
  readonly type: string;
  readonly line: number;
  readonly name?: string;
  readonly as?: string;
  readonly filename?: string;
  readonly module_type?: string;
  readonly action?: Action;
  readonly expected?: readonly Value[];
}

/** What came of a folder of scripts. */
export interface SuiteResult {
  readonly scripts: number;
  readonly modules: number;
  readonly assertions: number;
  /** Modules that must be refused and were. */
  readonly refused: number;
  /** Where plain and metered modules differ, or where the reader failed in another way than it may. */
  readonly differences: readonly string[];
}

const LIMITS: Limits = { ...DEFAULT_LIMITS, memoryPagesMax: 65_536 };
const FUEL = 2 ** 31 - 1;

type Exports = Record<string, unknown>;

/** Runs all scripts of `folder`. */
export function runSuite(folder: string): SuiteResult {
  const differences: string[] = [];
  let [scripts, modules, assertions, refused] = [0, 0, 0, 0];
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
    const { commands } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as {
      commands: readonly Command[];
    };
    scripts++;
    const plain = new Script(folder, false).run(commands);
    const metered = new Script(folder, true).run(commands);
    for (const [i, command] of commands.entries()) {
      const where = `${file}:${command.line} ${command.type}`;
      if (command.type === 'module') modules++;
      if (/^assert_(malformed|invalid)$/.test(command.type) && command.module_type !== 'text') {
        const reason = refusalOf(folder, command);
        if (reason === undefined) refused++;
        else differences.push(`${where}: ${reason}`);
      } else if (plain[i] !== 'skipped') {
        assertions++;
        const same = plain[i] === metered[i] || command.type === 'assert_exhaustion';
        if (!same) differences.push(`${where}: plain ${plain[i]}, metered ${metered[i]}`);
      }
    }
  }
  return { scripts, modules, assertions, refused, differences };
}

/** `undefined` where the module is refused as it must be, by the reader or by V8; else what happened. */
function refusalOf(folder: string, command: Command): string | undefined {
  const bytes = readFileSync(join(folder, command.filename!));
  // What V8 accepts belongs to a later release of the specification than the suite.
  if (wasm.validate(bytes)) return undefined;
  try {
    planModule(readModule(bytes, LIMITS));
    return undefined;
  } catch (error) {
    const isRefusal = error instanceof DeltabaseError && error.code === 'MODULE_INVALID';
    return isRefusal ? undefined : String(error);
  }
}

/** One script, on one kind of modules. */
class Script {
  readonly #folder: string;
  readonly #metered: boolean;
  readonly #registered: Record<string, Exports> = { spectest: spectest() };
  readonly #named = new Map<string, Exports>();
  readonly #references = new Map<string, object>();
  readonly #live: Exports[] = [];
  #current: Exports | undefined;

  constructor(folder: string, metered: boolean) {
    this.#folder = folder;
    this.#metered = metered;
  }

  /** What each command came to. */
  run(commands: readonly Command[]): readonly string[] {
    return commands.map((command) => {
      try {
        return this.#run(command);
      } catch (error) {
        // Which error it is counts, not its words: offsets in them differ.
        return `threw ${(error as Error).name}`;
      }
    });
  }

  #run(command: Command): string {
    switch (command.type) {
      case 'module':
        this.#current = undefined;
        this.#current = this.#instantiate(command.filename!);
        if (command.name !== undefined) this.#named.set(command.name, this.#current);
        return 'made';
      case 'register':
        this.#registered[command.as!] = this.#target(command.name)!;
        return 'registered';
      case 'assert_unlinkable':
      case 'assert_uninstantiable':
        this.#instantiate(command.filename!);
        return 'made';
      case 'action':
      case 'assert_return':
      case 'assert_trap':
      case 'assert_exhaustion':
        return this.#act(command.action!, command.expected ?? []);
      default:
        return 'skipped';
    }
  }

  #target(name: string | undefined): Exports | undefined {
    return name === undefined ? this.#current : this.#named.get(name);
  }

  #instantiate(file: string): Exports {
    const bytes = readFileSync(join(this.#folder, file));
    const module = new wasm.Module(this.#metered ? meter(bytes) : bytes);
    const { exports } = new wasm.Instance(module, this.#registered);
    if (!this.#metered) return exports;
    this.#live.push(exports);
    this.#refuel();
    call(exports, MeterExport.start);
    return exports;
  }

  #act(action: Action, expected: readonly Value[]): string {
    const target = this.#target(action.module);
    if (target === undefined) return 'no module';
    if (action.type === 'get') return show((target[action.field] as { value: unknown }).value);
    this.#refuel();
    const args = (action.args ?? []).map((arg) => this.#value(arg));
    const result = call(target, action.field, ...args);
    const results = Array.isArray(result) ? result : [result];
    return `${results.map(show).join()}, ${expected.length} expected`;
  }

  #refuel(): void {
    for (const exports of this.#live) {
      call(exports, MeterExport.enter, FUEL, DEFAULT_LIMITS.stackBytesMax);
    }
  }

  #value({ type, value = '' }: Value): unknown {
    const bits = new DataView(new ArrayBuffer(8));
    switch (type) {
      case 'i32':
        return Number(BigInt.asIntN(32, BigInt(value)));
      case 'i64':
        return BigInt.asIntN(64, BigInt(value));
      case 'f32':
        bits.setUint32(0, Number(value));
        return bits.getFloat32(0);
      case 'f64':
        bits.setBigUint64(0, BigInt(value));
        return bits.getFloat64(0);
      case 'externref':
        if (value === 'null') return null;
        if (!this.#references.has(value)) this.#references.set(value, { id: value });
        return this.#references.get(value);
      default:
        return null;
    }
  }
}

function meter(bytes: Uint8Array): Uint8Array {
  const layout = readModule(bytes, LIMITS);
  const plans = planModule(layout);
  if (wasm.validate(bytes) && plans.some((plan) => !plan.balanced)) {
    throw new Error('the operands of a valid module are balanced');
  }
  return meterModule(layout, plans, LIMITS.memoryPagesMax);
}

function call(exports: Exports, name: string, ...args: unknown[]): unknown {
  const found = exports[name] as ((...args: unknown[]) => unknown) | undefined;
  return found?.(...args);
}

function show(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object') return JSON.stringify(value);
  return Object.is(value, -0) ? '-0' : String(value);
}

/** The module that scripts may import from. */
function spectest(): Exports {
  const api = globalThis as unknown as {
    WebAssembly: Record<'Global' | 'Table' | 'Memory', new (...args: unknown[]) => unknown>;
  };
  const { Global, Table, Memory } = api.WebAssembly;
  const names = ['', '_i32', '_i64', '_f32', '_f64', '_i32_f32', '_f64_f64'];
  return {
    ...Object.fromEntries(names.map((name) => [`print${name}`, () => undefined])),
    global_i32: new Global({ value: 'i32' }, 666),
    global_i64: new Global({ value: 'i64' }, 666n),
    global_f32: new Global({ value: 'f32' }, 666.6),
    global_f64: new Global({ value: 'f64' }, 666.6),
    table: new Table({ initial: 10, maximum: 20, element: 'anyfunc' }),
    memory: new Memory({ initial: 1, maximum: 2 }),
  };
}
