// Walks the instructions of one function body, by the opcode table. Reads structure only: whether the
// operands fit is WebAssembly.validate's business. Every step consumes at least one byte, so a walk ends
// whatever the bytes are.

import type { ByteReader } from './byte-reader.js';
import { invalid } from './invalid.js';
import { IMMEDIATES } from './opcode-table.js';
import { BULK_BASE, featureOf, Immediate, SIMD_BASE } from './opcodes.js';
import { readValueType } from './value-types.js';

/** Labels of one br_table; V8's own bound. */
const BRANCH_TABLE_MAX = 65_520;

/** A cursor over instructions; its fields describe the one that `next` read last. */
export class Instructions {
  readonly reader: ByteReader;
  /** Number of the opcode, as in opcodes.ts. */
  op = 0;
  /** Where the opcode begins; the instruction ends at `reader.at`. */
  start = 0;
  /** The first index; of a br_table the largest label; of a block its type as a signed number. */
  index = 0;
  /** The second index of call_indirect, table.init and table.copy. */
  second = 0;

  constructor(reader: ByteReader) {
    this.reader = reader;
  }

  /** Reads the next instruction. */
  next(): void {
    const reader = this.reader;
    this.start = reader.at;
    let op = reader.u8();
    if (op === 0xfc) op = BULK_BASE + this.#secondary(BULK_BASE);
    else if (op === 0xfd) op = SIMD_BASE + this.#secondary(SIMD_BASE);
    this.op = op;
    const immediate = IMMEDIATES[op]!;
    if (immediate !== Immediate.none) this.#immediate(immediate);
  }

  #secondary(base: number): number {
    const number = this.reader.u32();
    if (number <= 0xff) return number;
    throw this.#refused(base === SIMD_BASE ? 'relaxed SIMD' : 'an unknown instruction');
  }

  #immediate(kind: number): void {
    const reader = this.reader;
    switch (kind) {
      case Immediate.index:
        this.index = reader.u32();
        return;
      case Immediate.memArg:
        this.#memArg();
        return;
      case Immediate.i32:
        reader.skipLeb(5);
        break;
      case Immediate.i64:
        reader.skipLeb(10);
        break;
      case Immediate.f32:
        reader.skip(4);
        break;
      case Immediate.f64:
        reader.skip(8);
        break;
      case Immediate.bytes16:
        reader.skip(16);
        break;
      case Immediate.lane:
        reader.skip(1);
        break;
      case Immediate.memArgLane:
        this.#memArg();
        reader.skip(1);
        break;
      case Immediate.blockType:
        this.index = reader.s33();
        return;
      default:
        this.#rareImmediate(kind);
    }
  }

  #rareImmediate(kind: number): void {
    const reader = this.reader;
    switch (kind) {
      case Immediate.twoIndices:
        this.index = reader.u32();
        this.second = reader.u32();
        return;
      case Immediate.labels: {
        const count = reader.count('branch targets', BRANCH_TABLE_MAX);
        this.index = 0;
        for (let i = 0; i <= count; i++) this.index = Math.max(this.index, reader.u32());
        return;
      }
      case Immediate.types: {
        const count = reader.count('types of one select', 1);
        for (let i = 0; i < count; i++) readValueType(reader);
        return;
      }
      case Immediate.memory:
        this.#memoryIndex();
        break;
      case Immediate.memoryPair:
        this.#memoryIndex();
        this.#memoryIndex();
        break;
      case Immediate.segmentMemory:
        this.index = reader.u32();
        this.#memoryIndex();
        break;
      case Immediate.heapType:
        this.#heapType();
        break;
      default:
        throw this.#refused(featureOf(this.op));
    }
  }

  #memArg(): void {
    const align = this.reader.u32();
    if (align >= 64) throw this.#refused('several memories');
    this.reader.u32();
  }

  #memoryIndex(): void {
    if (this.reader.u8() !== 0) throw this.#refused('several memories');
  }

  #heapType(): void {
    const type = this.reader.u8();
    if (type !== 0x70 && type !== 0x6f) throw this.#refused('typed function references');
  }

  #refused(feature: string): Error {
    return invalid(`the module uses ${feature}, which a machine may not`, this.start);
  }
}
