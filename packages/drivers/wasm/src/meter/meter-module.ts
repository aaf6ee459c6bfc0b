// Rewrites a module so that it counts its own fuel and stack and can give back its globals: functions by
// their plans, sizes of memories and tables capped, the start function made an export, the meter's own
// globals and functions behind everything else. No index of the module changes; linear in its size.

import { assert } from '@deltabase/base';
import { ByteReader } from '../binary/byte-reader.js';
import { ByteWriter } from '../binary/byte-writer.js';
import { invalid } from '../binary/invalid.js';
import {
  findSection,
  type ModuleLayout,
  type Section,
  SectionId,
  type Size,
} from '../binary/module-layout.js';
import { type FunctionType, ValueType } from '../binary/value-types.js';
import { LOCALS_TOTAL_MAX, TABLE_ELEMENTS_MAX } from '../module-limits.js';
import type { FunctionPlan } from './function-plan.js';
import {
  type MeterFunction,
  MeterFunctionPlace,
  meterFunctions,
  type Shadow,
} from './meter-functions.js';
import { planFunction } from './plan-function.js';
import { MeterExport, type MeterSymbols } from './symbols.js';
import { writeFunction } from './write-function.js';

const PAGES_MAX = 65_536;
/** Sections in the order of the format; start and custom sections apart. */
const ORDER = [
  SectionId.type,
  SectionId.import,
  SectionId.function,
  SectionId.table,
  SectionId.memory,
  SectionId.global,
  SectionId.export,
  SectionId.element,
  SectionId.dataCount,
  SectionId.code,
  SectionId.data,
];

/** The plans of all functions of `layout`. Throws MODULE_INVALID where code cannot be read. */
export function planModule(layout: ModuleLayout): readonly FunctionPlan[] {
  let locals = 0;
  return layout.bodies.map((body, i) => {
    const type = layout.types[layout.functions[layout.importedFunctions + i]!]!;
    const plan = planFunction(layout, type, new ByteReader(layout.bytes, body.start, body.end));
    locals += plan.locals;
    if (locals > LOCALS_TOTAL_MAX) {
      throw invalid(`the functions have more than ${LOCALS_TOTAL_MAX} locals together`, body.start);
    }
    return plan;
  });
}

/**
 * The metered form of `layout`, which must be valid. Its memory grows to `memoryPagesMax` pages at most;
 * what it exports besides is named in symbols.ts.
 */
export function meterModule(
  layout: ModuleLayout,
  plans: readonly FunctionPlan[],
  memoryPagesMax: number,
): Uint8Array {
  assert(plans.length === layout.bodies.length, 'every function has a plan');
  return new ModuleWriter(layout, plans, memoryPagesMax).write();
}

class ModuleWriter {
  readonly #layout: ModuleLayout;
  readonly #plans: readonly FunctionPlan[];
  readonly #memoryPagesMax: number;
  readonly #out: ByteWriter;
  readonly #addedTypes: FunctionType[] = [];
  readonly #typeIndices = new Map<string, number>();
  readonly #shadows: readonly Shadow[];
  readonly #symbols: MeterSymbols;
  readonly #functions: readonly MeterFunction[];
  readonly #functionTypes: readonly number[];
  readonly #code: Uint8Array;

  constructor(layout: ModuleLayout, plans: readonly FunctionPlan[], memoryPagesMax: number) {
    this.#layout = layout;
    this.#plans = plans;
    this.#memoryPagesMax = memoryPagesMax;
    this.#out = new ByteWriter(layout.bytes.length + (layout.bytes.length >> 2) + 1024);
    this.#shadows = shadowsOf(layout);
    this.#symbols = this.#makeSymbols();
    const pagesMax = Math.min(layout.memories[0]?.max ?? PAGES_MAX, memoryPagesMax);
    this.#functions = meterFunctions(layout, this.#symbols, this.#shadows, pagesMax);
    this.#functionTypes = this.#functions.map(({ type }) => this.#typeIndex(type));
    // Before the sections: writing the code may need further types.
    this.#code = this.#writeCode();
  }

  write(): Uint8Array {
    const out = this.#out;
    out.copy(this.#layout.bytes, 0, 8);
    const content = new ByteWriter(1024);
    for (const id of ORDER) {
      content.clear();
      if (!this.#writeSection(content, id)) continue;
      out.u8(id);
      out.u32(content.length);
      out.copy(content.view());
    }
    this.#copyNames();
    return out.view().slice();
  }

  /** Names of functions are kept: the reasons of traps tell them. */
  #copyNames(): void {
    const { bytes, sections } = this.#layout;
    for (const { id, start, end } of sections) {
      if (id !== SectionId.custom || new ByteReader(bytes, start, end).name() !== 'name') continue;
      this.#out.u8(id);
      this.#out.u32(end - start);
      this.#out.copy(bytes, start, end);
    }
  }

  /** Writes the content of section `id`; `false`: there is none. */
  #writeSection(out: ByteWriter, id: number): boolean {
    const section = findSection(this.#layout, id);
    switch (id) {
      case SectionId.type:
        this.#extend(out, section, this.#addedTypes, (type) => writeType(out, type));
        return true;
      case SectionId.function:
        this.#extend(out, section, this.#functionTypes, (type) => out.u32(type));
        return true;
      case SectionId.global:
        this.#extend(out, section, this.#globals(), (type) => writeGlobal(out, type));
        return true;
      case SectionId.export:
        this.#writeExports(out, section);
        return true;
      case SectionId.code:
        out.copy(this.#code);
        return true;
      case SectionId.table:
        if (section !== undefined) this.#writeTables(out);
        return section !== undefined;
      case SectionId.memory:
        if (section !== undefined) this.#writeMemory(out);
        return section !== undefined;
      default:
        if (section !== undefined) out.copy(this.#layout.bytes, section.start, section.end);
        return section !== undefined;
    }
  }

  /** Copies the vector in `section` and appends `added` to it. */
  #extend<T>(
    out: ByteWriter,
    section: Section | undefined,
    added: readonly T[],
    write: (item: T) => void,
  ): void {
    const { bytes } = this.#layout;
    const reader = new ByteReader(bytes, section?.start ?? 0, section?.end ?? 0);
    const count = section === undefined ? 0 : reader.u32();
    out.u32(count + added.length);
    if (section !== undefined) out.copy(bytes, reader.at, section.end);
    for (const item of added) write(item);
  }

  /** Types of the globals to be added: fuel, stack, flags, and a shadow for each mutable global. */
  #globals(): readonly number[] {
    const { i32 } = ValueType;
    const shadows = this.#shadows.map(({ global }) => this.#layout.globals[global]!.type);
    return [i32, i32, i32, ...shadows];
  }

  #writeExports(out: ByteWriter, section: Section | undefined): void {
    const added: { name: string; index: number }[] = [];
    this.#functions.forEach(({ exportName }, i) => {
      if (exportName === undefined) return;
      added.push({ name: exportName, index: this.#layout.functions.length + i });
    });
    const { start } = this.#layout;
    if (start !== undefined) added.push({ name: MeterExport.start, index: start });
    this.#extend(out, section, added, ({ name, index }) => {
      out.asciiName(name);
      out.u8(0);
      out.u32(index);
    });
  }

  #writeTables(out: ByteWriter): void {
    const imported = this.#imported('table');
    const tables = this.#layout.tables.slice(imported);
    out.u32(tables.length);
    for (const { type, size } of tables) {
      out.u8(type);
      writeSize(out, size, TABLE_ELEMENTS_MAX);
    }
  }

  #writeMemory(out: ByteWriter): void {
    const memories = this.#layout.memories.slice(this.#imported('memory'));
    out.u32(memories.length);
    for (const size of memories) writeSize(out, size, this.#memoryPagesMax);
  }

  #imported(kind: 'table' | 'memory'): number {
    return this.#layout.imports.filter((item) => item.kind === kind).length;
  }

  #writeCode(): Uint8Array {
    const out = new ByteWriter(this.#layout.bytes.length + 1024);
    const body = new ByteWriter(1024);
    out.u32(this.#plans.length + this.#functions.length);
    for (const plan of this.#plans) {
      body.clear();
      writeFunction(body, this.#layout.bytes, plan, this.#symbols);
      out.u32(body.length);
      out.copy(body.view());
    }
    for (const added of this.#functions) {
      out.u32(added.body.length);
      out.copy(added.body);
    }
    return out.view();
  }

  #makeSymbols(): MeterSymbols {
    const globals = this.#layout.globals.length;
    const functions = this.#layout.functions.length;
    return {
      fuel: globals,
      stack: globals + 1,
      flags: globals + 2,
      grow: functions + MeterFunctionPlace.grow,
      chargeBytes: functions + MeterFunctionPlace.chargeBytes,
      chargeElements: functions + MeterFunctionPlace.chargeElements,
      markDirty: functions + MeterFunctionPlace.markDirty,
      blockType: (results) => this.#typeIndex({ params: [], results }),
    };
  }

  /** The index of an added type that equals `type`; it is added if there is none yet. */
  #typeIndex(type: FunctionType): number {
    const key = `${type.params.join()}>${type.results.join()}`;
    const known = this.#typeIndices.get(key);
    if (known !== undefined) return known;
    const index = this.#layout.types.length + this.#addedTypes.push(type) - 1;
    this.#typeIndices.set(key, index);
    return index;
  }
}

/** Mutable globals of the module itself, each with the index of its shadow. */
function shadowsOf(layout: ModuleLayout): readonly Shadow[] {
  const imported = layout.imports.filter((item) => item.kind === 'global').length;
  const mutable = layout.globals.flatMap((global, i) =>
    global.mutable && i >= imported ? [i] : [],
  );
  const first = layout.globals.length + 3;
  return mutable.map((global, i) => ({ global, shadow: first + i }));
}

function writeType(out: ByteWriter, { params, results }: FunctionType): void {
  out.u8(0x60);
  for (const list of [params, results]) {
    out.u32(list.length);
    out.put(...list);
  }
}

/** A mutable global of `type` that begins as zero or null. */
function writeGlobal(out: ByteWriter, type: number): void {
  out.put(type, 1, ...ZERO[type]!, 0x0b);
}

const ZERO: Readonly<Record<number, readonly number[]>> = {
  [ValueType.i32]: [0x41, 0],
  [ValueType.i64]: [0x42, 0],
  [ValueType.f32]: [0x43, 0, 0, 0, 0],
  [ValueType.f64]: [0x44, 0, 0, 0, 0, 0, 0, 0, 0],
  [ValueType.v128]: [0xfd, 0x0c, ...new Array<number>(16).fill(0)],
  [ValueType.funcref]: [0xd0, 0x70],
  [ValueType.externref]: [0xd0, 0x6f],
};

function writeSize(out: ByteWriter, size: Size, cap: number): void {
  out.u8(1);
  out.u32(size.min);
  out.u32(Math.min(size.max ?? cap, cap));
}
