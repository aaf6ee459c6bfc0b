// A small assembler for tests: modules as objects, code as flat text in the names of the WebAssembly text
// format. It writes the binary format on its own (no byte of it comes from the driver's writer), knows
// names and immediates from the opcode table, and leaves the checking to V8.

import { BY_NAME } from '../src/binary/opcode-table.js';
import { Immediate } from '../src/binary/opcodes.js';

/** A function: types and locals as names one space apart; `code` without the final end. */
export interface FunctionSource {
  readonly params?: string;
  readonly results?: string;
  readonly locals?: string;
  readonly code: string;
  /** Exported under its own name unless false. */
  readonly exported?: boolean;
}

/** A module. Functions, and imports before them, are numbered in order; code may say `$name` instead. */
export interface ModuleSource {
  readonly imports?: readonly ImportSource[];
  /** `[min, max?]` in pages; default `[1]`, exported as `memory`; null: none. */
  readonly memory?: readonly number[] | null;
  /** `[min, max?]` of a table of functions each. */
  readonly tables?: readonly (readonly number[])[];
  /** `i32 5` is a constant, `mut i64 5` can change; references begin as null and have no value. */
  readonly globals?: readonly string[];
  readonly functions: Readonly<Record<string, FunctionSource | string>>;
  /** Names of functions from element 0 of table 0 on; `passive` lists are segments behind that one. */
  readonly elements?: readonly string[];
  readonly passiveElements?: readonly (readonly string[])[];
  /** Bytes or text by address; `passive` ones are segments behind those. */
  readonly data?: readonly (readonly [number, string | Uint8Array])[];
  readonly passiveData?: readonly Uint8Array[];
  readonly start?: string;
}

export interface ImportSource {
  readonly module?: string;
  readonly name: string;
  readonly params?: string;
  readonly results?: string;
}

const TYPES: Readonly<Record<string, number>> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
  funcref: 0x70,
  externref: 0x6f,
};

/** The bytes of the module. */
export function assemble(source: ModuleSource): Uint8Array {
  return Uint8Array.from(new Assembler(source).write());
}

/** A section with its number and length. */
export function section(id: number, content: readonly number[]): number[] {
  return [id, ...uleb(content.length), ...content];
}

/** The first eight bytes of every module. */
export const HEADER: readonly number[] = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

/** An unsigned LEB128 integer. */
export function uleb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low + 128 : low);
  } while (rest > 0);
  return bytes;
}

/** A signed LEB128 integer. */
export function sleb(value: bigint): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; ) {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    const sign = (low & 0x40) !== 0;
    if ((rest === 0n && !sign) || (rest === -1n && sign)) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}

class Assembler {
  readonly #source: ModuleSource;
  readonly #types: string[] = [];
  readonly #names = new Map<string, number>();

  constructor(source: ModuleSource) {
    this.#source = source;
    const names = [...(source.imports ?? []).map(({ name }) => name)];
    names.push(...Object.keys(source.functions));
    for (const [i, name] of names.entries()) this.#names.set(name, i);
  }

  write(): number[] {
    const source = this.#source;
    const functions = Object.entries(source.functions).map(
      ([name, item]) => [name, typeof item === 'string' ? { code: item } : item] as const,
    );
    const imports = (source.imports ?? []).map((item) => [
      ...text(item.module ?? 'deltabase'),
      ...text(item.name),
      0,
      ...uleb(this.#type(item.params, item.results)),
    ]);
    const declared = functions.map(([, item]) => uleb(this.#type(item.params, item.results)));
    // Code first: it may need further types.
    const code = functions.map(([, item]) => this.#body(item));
    const exports = functions
      .filter(([, item]) => item.exported !== false)
      .map(([name]) => [...text(name), 0, ...uleb(this.#names.get(name)!)]);
    const memory = source.memory === undefined ? [1] : source.memory;
    if (memory !== null) exports.push([...text('memory'), 2, 0]);
    const data = this.#data();
    return [
      ...HEADER,
      ...section(1, vector(this.#types.map((type) => this.#typeBytes(type)))),
      ...optional(2, imports),
      ...optional(3, declared),
      ...optional(
        4,
        (source.tables ?? []).map((size) => [0x70, ...limits(size)]),
      ),
      ...optional(5, memory === null ? [] : [limits(memory)]),
      ...optional(
        6,
        (source.globals ?? []).map((global) => this.#global(global)),
      ),
      ...optional(7, exports),
      ...(source.start === undefined ? [] : section(8, uleb(this.#names.get(source.start)!))),
      ...optional(9, this.#elements()),
      ...(data.length === 0 ? [] : section(12, uleb(data.length))),
      ...optional(10, code),
      ...optional(11, data),
    ];
  }

  #type(params = '', results = ''): number {
    const key = `${params}>${results}`;
    const known = this.#types.indexOf(key);
    return known >= 0 ? known : this.#types.push(key) - 1;
  }

  #typeBytes(key: string): number[] {
    const [params, results] = key
      .split('>')
      .map((list) => words(list).map((name) => [TYPES[name]!]));
    return [0x60, ...vector(params!), ...vector(results!)];
  }

  #global(global: string): number[] {
    const tokens = words(global);
    const mutable = tokens[0] === 'mut' ? 1 : 0;
    const [type, ...value] = tokens.slice(mutable);
    const init = value.length === 0 ? `ref.null ${type}` : `${type}.const ${value.join(' ')}`;
    return [TYPES[type!]!, mutable, ...this.#code(init), 0x0b];
  }

  #elements(): number[][] {
    const list = (names: readonly string[]) => vector(names.map((name) => this.#index(`$${name}`)));
    const { elements, passiveElements = [] } = this.#source;
    const active = elements === undefined ? [] : [[0, 0x41, 0, 0x0b, ...list(elements)]];
    return [...active, ...passiveElements.map((names) => [1, 0, ...list(names)])];
  }

  #data(): number[][] {
    const bytes = (content: string | Uint8Array) => {
      const raw = typeof content === 'string' ? new TextEncoder().encode(content) : content;
      return [...uleb(raw.length), ...raw];
    };
    const { data = [], passiveData = [] } = this.#source;
    const active = data.map(([at, content]) => [
      0,
      0x41,
      ...sleb(BigInt(at)),
      0x0b,
      ...bytes(content),
    ]);
    return [...active, ...passiveData.map((content) => [1, ...bytes(content)])];
  }

  #body(item: FunctionSource): number[] {
    const locals = words(item.locals ?? '').map((name) => [1, TYPES[name]!]);
    const body = [...vector(locals), ...this.#code(item.code), 0x0b];
    return [...uleb(body.length), ...body];
  }

  #code(source: string): number[] {
    const tokens = words(source.replaceAll(/;;.*$/gm, ''));
    const bytes: number[] = [];
    for (let i = 0; i < tokens.length; ) {
      const opcode = BY_NAME.get(tokens[i]!);
      if (opcode === undefined) throw new Error(`no instruction ${tokens[i]}`);
      const { code, immediate } = opcode;
      if (code < 0x100) bytes.push(code);
      else bytes.push(code < 0x200 ? 0xfc : 0xfd, ...uleb(code & 0xff));
      i = this.#immediate(immediate, tokens, i + 1, bytes);
    }
    return bytes;
  }

  /** Writes what follows an opcode; returns the next token's index. */
  #immediate(kind: number, tokens: readonly string[], at: number, bytes: number[]): number {
    const token = tokens[at] ?? '';
    switch (kind) {
      case Immediate.none:
        return at;
      case Immediate.blockType:
        return this.#blockType(token, at, bytes);
      case Immediate.index:
      case Immediate.lane:
        bytes.push(...this.#index(token));
        return at + 1;
      case Immediate.twoIndices: {
        // call_indirect names its type as `params>results`; tables and segments are numbers.
        bytes.push(...(token.includes('>') ? uleb(this.#typeOf(token)) : this.#index(token)));
        bytes.push(...this.#index(tokens[at + 1]!));
        return at + 2;
      }
      case Immediate.labels: {
        let end = at;
        while (/^\d+$/.test(tokens[end] ?? '')) end++;
        bytes.push(...uleb(end - at - 1), ...tokens.slice(at, end).flatMap((t) => uleb(Number(t))));
        return end;
      }
      case Immediate.types:
        bytes.push(1, TYPES[token]!);
        return at + 1;
      case Immediate.memory:
        bytes.push(0);
        return at;
      case Immediate.memoryPair:
        bytes.push(0, 0);
        return at;
      case Immediate.segmentMemory:
        bytes.push(...this.#index(token), 0);
        return at + 1;
      case Immediate.memArg:
      case Immediate.memArgLane: {
        const offset = /^offset=(\d+)$/.exec(token)?.[1];
        bytes.push(0, ...uleb(Number(offset ?? 0)));
        const next = offset === undefined ? at : at + 1;
        if (kind === Immediate.memArg) return next;
        bytes.push(...uleb(Number(tokens[next])));
        return next + 1;
      }
      case Immediate.i32:
      case Immediate.i64:
        bytes.push(...sleb(kind === Immediate.i32 ? BigInt(Number(token) | 0) : BigInt(token)));
        return at + 1;
      case Immediate.f32:
        bytes.push(...new Uint8Array(Float32Array.of(Number(token)).buffer));
        return at + 1;
      case Immediate.f64:
        bytes.push(...new Uint8Array(Float64Array.of(Number(token)).buffer));
        return at + 1;
      case Immediate.bytes16:
        bytes.push(...tokens.slice(at, at + 16).map(Number));
        return at + 16;
      default:
        bytes.push(TYPES[token]!);
        return at + 1;
    }
  }

  /** A type's name, `params>results`, or nothing. */
  #blockType(token: string, at: number, bytes: number[]): number {
    if (token.includes('>')) bytes.push(...sleb(BigInt(this.#typeOf(token))));
    else bytes.push(TYPES[token] ?? 0x40);
    return token.includes('>') || TYPES[token] !== undefined ? at + 1 : at;
  }

  /** `i32,i64>i32` */
  #typeOf(token: string): number {
    const [params, results] = token.split('>').map((list) => list.replaceAll(',', ' '));
    return this.#type(params, results);
  }

  #index(token: string): number[] {
    if (!token.startsWith('$')) return uleb(Number(token));
    const index = this.#names.get(token.slice(1));
    if (index === undefined) throw new Error(`no function ${token}`);
    return uleb(index);
  }
}

function words(source: string): string[] {
  return source.split(/\s+/).filter((word) => word !== '');
}

function text(name: string): number[] {
  const bytes = new TextEncoder().encode(name);
  return [...uleb(bytes.length), ...bytes];
}

function limits(size: readonly number[]): number[] {
  return size.length === 1 ? [0, ...uleb(size[0]!)] : [1, ...uleb(size[0]!), ...uleb(size[1]!)];
}

function vector(items: readonly (readonly number[])[]): number[] {
  return [...uleb(items.length), ...items.flat()];
}

function optional(id: number, items: readonly (readonly number[])[]): number[] {
  return items.length === 0 ? [] : section(id, vector(items));
}
