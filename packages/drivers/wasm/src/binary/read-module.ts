// Reads a module's sections (core specification 5.5). Elements, data and custom sections are passed over,
// their content is V8's to validate. Sizes and counts are held against module-limits.ts before anything is
// allocated for them.

import type { Limits } from '@deltabase/base';
import {
  EXPORTS_MAX,
  GLOBALS_MAX,
  IMPORTS_MAX,
  TABLE_ELEMENTS_MAX,
  TABLES_MAX,
  TYPES_MAX,
} from '../module-limits.js';
import { ByteReader } from './byte-reader.js';
import { Instructions } from './instructions.js';
import { invalid } from './invalid.js';
import {
  type Export,
  type Global,
  type Import,
  KINDS,
  type Kind,
  type ModuleLayout,
  type Section,
  SectionId,
  type Size,
} from './module-layout.js';
import { Op } from './opcodes.js';
import { type FunctionType, readFunctionType, readValueType } from './value-types.js';

/** A second memory is refused by name, so more than one must be read. */
const MEMORIES_READ_MAX = 100;
const MAGIC = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
/** The order in which sections may come; a data count stands before the code. */
const ORDER = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11];

/** Takes `bytes` apart. Throws MODULE_INVALID where the format or a limit is not kept. */
export function readModule(bytes: Uint8Array, limits: Limits): ModuleLayout {
  if (bytes.length > limits.moduleBytesMax) {
    throw invalid(`the module has ${bytes.length} bytes, at most ${limits.moduleBytesMax} may be`);
  }
  return new LayoutReader(bytes, limits).read();
}

class LayoutReader {
  readonly #bytes: Uint8Array;
  readonly #limits: Limits;
  readonly #sections: Section[] = [];
  readonly #types: FunctionType[] = [];
  readonly #imports: Import[] = [];
  readonly #functions: number[] = [];
  readonly #tables: { type: number; size: Size }[] = [];
  readonly #memories: Size[] = [];
  readonly #globals: Global[] = [];
  readonly #exports: Export[] = [];
  readonly #bodies: Section[] = [];
  #importedFunctions = 0;
  #start: number | undefined;

  constructor(bytes: Uint8Array, limits: Limits) {
    this.#bytes = bytes;
    this.#limits = limits;
  }

  read(): ModuleLayout {
    this.#readSections();
    if (this.#bodies.length !== this.#functions.length - this.#importedFunctions) {
      throw invalid('the module declares another number of functions than it has bodies');
    }
    return {
      bytes: this.#bytes,
      sections: this.#sections,
      types: this.#types,
      imports: this.#imports,
      functions: this.#functions,
      importedFunctions: this.#importedFunctions,
      tables: this.#tables,
      memories: this.#memories,
      globals: this.#globals,
      exports: this.#exports,
      start: this.#start,
      bodies: this.#bodies,
    };
  }

  #readSections(): void {
    const reader = new ByteReader(this.#bytes);
    for (const byte of MAGIC) {
      if (reader.done || reader.u8() !== byte) throw invalid('this is not a WebAssembly 1 module');
    }
    let last = -1;
    while (!reader.done) {
      const id = reader.u8();
      const length = reader.u32();
      const start = reader.at;
      reader.skip(length);
      const section = { id, start, end: reader.at };
      this.#sections.push(section);
      if (id === SectionId.custom) continue;
      if (id === 13) throw invalid('the module uses exceptions, which a machine may not', start);
      const place = ORDER.indexOf(id);
      if (place < 0) throw invalid(`section ${id} is unknown`, start);
      if (place <= last) throw invalid(`section ${id} is out of order`, start);
      last = place;
      this.#readSection(section);
    }
  }

  #readSection({ id, start, end }: Section): void {
    const reader = new ByteReader(this.#bytes, start, end);
    switch (id) {
      case SectionId.type:
        this.#each(reader, 'types', TYPES_MAX, () => this.#types.push(readFunctionType(reader)));
        break;
      case SectionId.import:
        this.#each(reader, 'imports', IMPORTS_MAX, () => this.#readImport(reader));
        break;
      case SectionId.function:
        this.#each(reader, 'functions', this.#limits.moduleFunctionsMax, () => {
          this.#functions.push(this.#typeIndex(reader));
        });
        break;
      case SectionId.table:
        this.#each(reader, 'tables', TABLES_MAX, () => this.#readTable(reader));
        break;
      case SectionId.memory:
        this.#each(reader, 'memories', MEMORIES_READ_MAX, () => this.#readMemory(reader));
        break;
      case SectionId.global:
        this.#each(reader, 'globals', GLOBALS_MAX, () => this.#readGlobal(reader));
        break;
      case SectionId.export:
        this.#each(reader, 'exports', EXPORTS_MAX, () => this.#readExport(reader));
        break;
      case SectionId.start:
        this.#start = reader.u32();
        break;
      case SectionId.code:
        this.#each(reader, 'functions', this.#limits.moduleFunctionsMax, () => {
          const length = reader.u32();
          const at = reader.at;
          reader.skip(length);
          this.#bodies.push({ id, start: at, end: reader.at });
        });
        break;
      default:
        return;
    }
    if (!reader.done) throw invalid(`section ${id} is longer than its content`, reader.at);
  }

  #each(reader: ByteReader, what: string, max: number, read: () => void): void {
    const count = reader.count(what, max);
    for (let i = 0; i < count; i++) read();
  }

  #readImport(reader: ByteReader): void {
    const module = reader.name();
    const name = reader.name();
    const kind = this.#kind(reader);
    let type = -1;
    if (kind === 'function') {
      type = this.#typeIndex(reader);
      this.#functions.push(type);
      this.#importedFunctions++;
    } else if (kind === 'table') this.#readTable(reader);
    else if (kind === 'memory') this.#readMemory(reader);
    else this.#globals.push(this.#globalType(reader));
    this.#imports.push({ module, name, kind, type });
  }

  #readTable(reader: ByteReader): void {
    const at = reader.at;
    const type = readValueType(reader);
    if (type !== 0x70 && type !== 0x6f) throw invalid('a table of something strange', at);
    const size = readSize(reader);
    if (size.min > TABLE_ELEMENTS_MAX) {
      throw invalid(`a table of ${size.min} elements, at most ${TABLE_ELEMENTS_MAX} may be`, at);
    }
    this.#tables.push({ type, size });
  }

  #readMemory(reader: ByteReader): void {
    const at = reader.at;
    const size = readSize(reader);
    if (this.#memories.length === 1) {
      throw invalid('the module uses several memories, which a machine may not', at);
    }
    const max = this.#limits.memoryPagesMax;
    if (size.min > max) {
      throw invalid(`the memory begins with ${size.min} pages, at most ${max} may be`, at);
    }
    this.#memories.push(size);
  }

  #readGlobal(reader: ByteReader): void {
    this.#globals.push(this.#globalType(reader));
    // A constant expression: one instruction and its end. V8 checks which instruction it is.
    const code = new Instructions(reader);
    code.next();
    code.next();
    if (code.op !== Op.end) {
      throw invalid('the module uses extended constant expressions, which it may not', code.start);
    }
  }

  #globalType(reader: ByteReader): Global {
    const type = readValueType(reader);
    const at = reader.at;
    const mutable = reader.u8();
    if (mutable > 1) throw invalid('a global is neither mutable nor immutable', at);
    return { type, mutable: mutable === 1 };
  }

  #readExport(reader: ByteReader): void {
    const name = reader.name();
    const kind = this.#kind(reader);
    this.#exports.push({ name, kind, index: reader.u32() });
  }

  #kind(reader: ByteReader): Kind {
    const at = reader.at;
    const number = reader.u8();
    const kind = KINDS[number];
    if (kind !== undefined) return kind;
    if (number === 4) throw invalid('the module uses exceptions, which a machine may not', at);
    throw invalid(`an import or export of unknown kind ${number}`, at);
  }

  #typeIndex(reader: ByteReader): number {
    const at = reader.at;
    const index = reader.u32();
    if (index >= this.#types.length) throw invalid(`type ${index} is not declared`, at);
    return index;
  }
}

function readSize(reader: ByteReader): Size {
  const at = reader.at;
  const flags = reader.u8();
  if (flags & 2) throw invalid('the module uses shared memory, which a machine may not', at);
  if (flags & 4) throw invalid('the module uses 64-bit memory, which a machine may not', at);
  if (flags > 1) throw invalid('the module uses custom page sizes, which a machine may not', at);
  const min = reader.u32();
  return { min, max: flags === 1 ? reader.u32() : undefined };
}
