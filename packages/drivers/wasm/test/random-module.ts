// Random modules that are valid by construction: typed expressions and statements with blocks, loops,
// branches, calls, memory and tables. The same seed makes the same module. Code that would tell the bits
// of a NaN is left out: they are not determined (core specification 2.2.3).
// Every stretch of instructions counts itself in a global before it leaves, so that a run can say how many
// it executed: what the meter must have charged at least.

import type { Prng } from '@deltabase/base';
import type { FunctionSource, ModuleSource } from './assembler.js';
import {
  CONVERSIONS,
  constant,
  FLOAT,
  FLOAT_COMPARE,
  FLOAT_UNARY,
  INTEGER,
  INTEGER_COMPARE,
  pick,
  TYPES,
  type Type,
} from './random-operators.js';

interface Signature {
  readonly name: string;
  readonly params: readonly Type[];
  readonly results: readonly Type[];
}

/** A module and what can be called in it. */
export interface RandomModule {
  readonly source: ModuleSource;
  readonly functions: readonly Signature[];
}

const GLOBALS: readonly Type[] = ['i32', 'i64', 'f32', 'f64', 'i32'];
/** Functions of these types, without parameters, are in the table. */
const INDIRECT = '>i32';

/** A random module. */
export function randomModule(prng: Prng): RandomModule {
  const functions = Array.from({ length: 3 + prng.below(4) }, (_, i) => signature(prng, `f${i}`));
  functions.push({ name: 'thunk0', params: [], results: ['i32'] });
  functions.push({ name: 'thunk1', params: [], results: ['i32'] });
  const bodies: Record<string, FunctionSource> = {};
  for (const item of functions) bodies[item.name] = new Body(prng, functions, item).source();
  GLOBALS.forEach((type, i) => {
    bodies[`global${i}`] = { results: type, code: `global.get ${i}` };
  });
  bodies['steps'] = { results: 'i64', code: `global.get ${STEPS}` };
  return {
    functions,
    source: {
      memory: [1, 3],
      tables: [[6, 8]],
      globals: [...GLOBALS.map((type) => `mut ${type} ${type === 'i64' ? '3' : '2'}`), 'mut i64 0'],
      functions: bodies,
      elements: ['thunk0', 'thunk1', 'thunk0'],
      passiveElements: [['thunk1', 'thunk1']],
      data: [[8, 'some bytes of data']],
      passiveData: [Uint8Array.of(1, 2, 3, 4, 5)],
    },
  };
}

const STEPS = GLOBALS.length;

function signature(prng: Prng, name: string): Signature {
  const types = (most: number) =>
    Array.from({ length: prng.below(most + 1) }, () => pick(prng, TYPES));
  return { name, params: types(3), results: prng.below(5) === 0 ? types(3) : types(1) };
}

class Body {
  readonly #prng: Prng;
  readonly #functions: readonly Signature[];
  readonly #self: Signature;
  readonly #locals: Type[];
  readonly #code: string[] = [];
  /** Labels that take no value, innermost last; false for those of blocks with a result. */
  readonly #labels: boolean[] = [];
  #budget: number;
  /** Instructions written since they were last counted. */
  #uncounted = 0;

  constructor(prng: Prng, functions: readonly Signature[], self: Signature) {
    this.#prng = prng;
    this.#functions = functions;
    this.#self = self;
    this.#locals = [...self.params, 'i32', ...Array.from({ length: 5 }, () => pick(prng, TYPES))];
    this.#budget = 20 + prng.below(60);
  }

  source(): FunctionSource {
    this.#statements();
    for (const type of this.#self.results) this.#expression(type, 3);
    this.#count(0);
    const { params, results } = this.#self;
    const locals = this.#locals.slice(params.length).join(' ');
    return {
      params: params.join(' '),
      results: results.join(' '),
      locals,
      code: this.#code.join('\n'),
    };
  }

  #emit(instruction: string): void {
    this.#code.push(instruction);
    this.#uncounted++;
  }

  /** Counts what was written and the instruction that follows, which costs `next`. */
  #count(next: number): void {
    const steps = this.#uncounted + 4 + next;
    this.#code.push(`global.get ${STEPS} i64.const ${steps} i64.add global.set ${STEPS}`);
    this.#uncounted = 0;
  }

  #control(instruction: string, cost: number): void {
    this.#count(cost);
    this.#code.push(instruction);
  }

  #statements(): void {
    for (let i = 1 + this.#prng.below(5); i > 0 && this.#budget > 0; i--) this.#statement();
  }

  #statement(): void {
    this.#budget--;
    switch (this.#prng.below(15)) {
      case 0:
      case 1:
      case 2:
        this.#assignLocal();
        break;
      case 3:
        this.#assignGlobal();
        break;
      case 4:
        this.#store();
        break;
      case 5:
        this.#ifStatement();
        break;
      case 6:
        this.#block('block');
        break;
      case 7:
        this.#countedLoop();
        break;
      case 8:
        this.#branchIf();
        break;
      case 9:
        this.#branchTable();
        break;
      case 10:
        this.#callStatement();
        break;
      case 11:
        this.#bulk();
        break;
      case 12:
        this.#leave();
        break;
      case 13:
        this.#tableStatement();
        break;
      default:
        this.#expression(pick(this.#prng, TYPES), 3);
        this.#emit('drop');
    }
  }

  #assignLocal(): void {
    // The first local behind the parameters counts loops.
    const counter = this.#self.params.length;
    const index = this.#prng.below(this.#locals.length);
    if (index === counter) return;
    this.#expression(this.#locals[index]!, 4);
    this.#emit(`local.set ${index}`);
  }

  #assignGlobal(): void {
    const index = this.#prng.below(GLOBALS.length);
    this.#expression(GLOBALS[index]!, 3);
    this.#emit(`global.set ${index}`);
  }

  #store(): void {
    const type = pick(this.#prng, ['i32', 'i64'] as const);
    this.#address();
    this.#expression(type, 3);
    this.#emit(`${type}.${pick(this.#prng, ['store', 'store8', 'store16'])} offset=16`);
  }

  #ifStatement(): void {
    this.#expression('i32', 3);
    this.#control('if', 1);
    this.#labels.push(true);
    this.#statements();
    if (this.#prng.below(2) === 0) {
      this.#control('else', 0);
      this.#statements();
    }
    this.#labels.pop();
    this.#control('end', 0);
  }

  #block(kind: 'block' | 'loop'): void {
    this.#control(kind, 0);
    this.#labels.push(true);
    this.#statements();
    this.#labels.pop();
    this.#control('end', 0);
  }

  /** A loop of a few turns, unless a branch to its head makes it longer. */
  #countedLoop(): void {
    const counter = this.#self.params.length;
    this.#emit(`i32.const ${1 + this.#prng.below(20)}`);
    this.#emit(`local.set ${counter}`);
    this.#control('loop', 0);
    this.#labels.push(true);
    this.#statements();
    for (const instruction of [`local.get ${counter}`, 'i32.const 1', 'i32.sub']) {
      this.#emit(instruction);
    }
    this.#emit(`local.tee ${counter}`);
    this.#emit('i32.const 0');
    this.#emit('i32.gt_s');
    this.#control('br_if 0', 1);
    this.#labels.pop();
    this.#control('end', 0);
  }

  #branchIf(): void {
    const label = this.#label();
    if (label === undefined) return;
    this.#expression('i32', 3);
    this.#control(`br_if ${label}`, 1);
  }

  #branchTable(): void {
    const labels = Array.from({ length: 1 + this.#prng.below(4) }, () => this.#label());
    if (labels.includes(undefined)) return;
    // In a block, so that code behind it is alive.
    this.#control('block', 0);
    this.#expression('i32', 2);
    const shifted = labels.map((label) => label! + 1);
    this.#control(`br_table ${[0, ...shifted, 0].join(' ')}`, 1);
    this.#code.push('end');
  }

  #callStatement(): void {
    const callable = this.#callable();
    if (callable.length === 0) return;
    const target = pick(this.#prng, callable);
    this.#call(target);
    for (const _ of target.results) this.#emit('drop');
  }

  /** Functions behind this one; all of them now and then, for recursion. */
  #callable(): readonly Signature[] {
    const next = this.#functions.indexOf(this.#self) + 1;
    const behind = this.#functions.slice(next);
    return this.#prng.below(100) === 0 ? this.#functions : behind;
  }

  #call(target: Signature): void {
    for (const type of target.params) this.#expression(type, 2);
    this.#control(`call $${target.name}`, 1);
  }

  #bulk(): void {
    const kind = pick(this.#prng, ['memory.fill', 'memory.copy', 'memory.init 1', 'memory.grow']);
    if (kind === 'memory.grow') {
      this.#emit(`i32.const ${this.#prng.below(3)}`);
      this.#emit('memory.grow');
      this.#emit('drop');
      return;
    }
    const length = kind === 'memory.init 1' ? 6 : 2000;
    this.#address();
    if (kind === 'memory.copy') this.#address();
    else this.#emit(`i32.const ${this.#prng.below(kind === 'memory.fill' ? 256 : 3)}`);
    this.#emit(`i32.const ${this.#prng.below(length)}`);
    this.#emit(kind);
  }

  #tableStatement(): void {
    const kind = pick(this.#prng, ['set', 'fill', 'copy', 'init', 'grow', 'size', 'drop'] as const);
    const small = () => this.#emit(`i32.const ${this.#prng.below(7)}`);
    if (kind !== 'size' && kind !== 'grow' && kind !== 'drop') small();
    if (kind === 'set') this.#emit('ref.func $thunk1');
    if (kind === 'fill' || kind === 'grow') this.#emit('ref.func $thunk0');
    if (kind === 'copy' || kind === 'init') small();
    if (kind !== 'set' && kind !== 'size' && kind !== 'drop') small();
    if (kind === 'copy') this.#emit('table.copy 0 0');
    else if (kind === 'init') this.#emit('table.init 1 0');
    else if (kind === 'drop') this.#emit(pick(this.#prng, ['elem.drop 1', 'data.drop 1']));
    else this.#emit(`table.${kind} 0`);
    if (kind === 'grow' || kind === 'size') this.#emit('drop');
  }

  #leave(): void {
    if (this.#prng.below(3) > 0) return;
    // Inside an if, so that what follows can be reached.
    this.#expression('i32', 2);
    this.#control('if', 1);
    if (this.#prng.below(8) === 0) {
      this.#control('unreachable', 1);
    } else {
      for (const type of this.#self.results) this.#expression(type, 1);
      this.#control('return', 1);
    }
    this.#code.push('end');
  }

  /** The depth of a random label without a value. */
  #label(): number | undefined {
    const depths = this.#labels.flatMap((usable, i) => {
      return usable ? [this.#labels.length - 1 - i] : [];
    });
    return depths.length === 0 ? undefined : pick(this.#prng, depths);
  }

  #address(): void {
    this.#expression('i32', 1);
    // Mostly within the first page.
    if (this.#prng.below(20) === 0) return;
    this.#emit('i32.const 4095');
    this.#emit('i32.and');
  }

  #expression(type: Type, depth: number): void {
    this.#budget--;
    const choice = depth <= 0 || this.#budget <= 0 ? this.#prng.below(2) : this.#prng.below(12);
    switch (choice) {
      case 0:
        this.#emit(`${type}.const ${constant(this.#prng, type)}`);
        break;
      case 1:
        this.#variable(type);
        break;
      case 2:
        this.#choose(type, depth);
        break;
      case 3:
        this.#ifExpression(type, depth);
        break;
      case 4:
        this.#blockExpression(type, depth);
        break;
      case 5:
        this.#callExpression(type, depth);
        break;
      case 6:
        this.#load(type);
        break;
      case 7: {
        const [name, from] = pick(this.#prng, CONVERSIONS[type]);
        this.#expression(from, depth - 1);
        this.#emit(name);
        break;
      }
      default:
        this.#operator(type, depth);
        break;
    }
  }

  #variable(type: Type): void {
    const locals = this.#locals.flatMap((of, i) => (of === type ? [`local.get ${i}`] : []));
    const globals = GLOBALS.flatMap((of, i) => (of === type ? [`global.get ${i}`] : []));
    this.#emit(pick(this.#prng, [...locals, ...globals]));
  }

  #choose(type: Type, depth: number): void {
    this.#expression(type, depth - 1);
    this.#expression(type, depth - 1);
    this.#expression('i32', depth - 1);
    this.#emit(this.#prng.below(2) === 0 ? 'select' : `select_t ${type}`);
  }

  #ifExpression(type: Type, depth: number): void {
    this.#expression('i32', depth - 1);
    this.#control(`if ${type}`, 1);
    this.#labels.push(false);
    this.#expression(type, depth - 1);
    this.#control('else', 0);
    this.#expression(type, depth - 1);
    this.#labels.pop();
    this.#control('end', 0);
  }

  /** A block that a branch may leave with its value. */
  #blockExpression(type: Type, depth: number): void {
    this.#control(`block ${type}`, 0);
    this.#labels.push(false);
    this.#expression(type, depth - 1);
    this.#expression('i32', depth - 1);
    this.#control('br_if 0', 1);
    this.#emit('drop');
    this.#expression(type, depth - 1);
    this.#labels.pop();
    this.#control('end', 0);
  }

  #callExpression(type: Type, depth: number): void {
    const isThunk = this.#self.name.startsWith('thunk');
    if (type === 'i32' && !isThunk && this.#prng.below(2) === 0) {
      this.#expression('i32', depth - 1);
      this.#emit('i32.const 3');
      this.#emit('i32.and');
      this.#control(`call_indirect ${INDIRECT} 0`, 1);
      return;
    }
    const target = this.#callable().find(
      ({ results }) => results.length === 1 && results[0] === type,
    );
    if (target === undefined) this.#variable(type);
    else this.#call(target);
  }

  #load(type: Type): void {
    if (type === 'i32' && this.#prng.below(4) === 0) {
      this.#emit('memory.size');
      return;
    }
    this.#address();
    this.#emit(`${type}.load offset=${this.#prng.below(9)}`);
  }

  #operator(type: Type, depth: number): void {
    const isFloat = type === 'f32' || type === 'f64';
    if (isFloat && this.#prng.below(3) === 0) {
      this.#expression(type, depth - 1);
      this.#emit(`${type}.${pick(this.#prng, FLOAT_UNARY)}`);
      return;
    }
    if (type === 'i32' && this.#prng.below(3) === 0) {
      const of = pick(this.#prng, TYPES);
      this.#expression(of, depth - 1);
      this.#expression(of, depth - 1);
      const compare = of === 'f32' || of === 'f64' ? FLOAT_COMPARE : INTEGER_COMPARE;
      this.#emit(`${of}.${pick(this.#prng, compare)}`);
      return;
    }
    this.#expression(type, depth - 1);
    this.#expression(type, depth - 1);
    this.#emit(`${type}.${pick(this.#prng, isFloat ? FLOAT : INTEGER)}`);
  }
}
