// Plans the metering of one function: where fuel is charged and how much, what must be replaced, how large
// a frame is. One pass over the instructions, nothing is written yet. points.ts decides where charges stand;
// here is what each instruction means to them.

import type { ByteReader } from '../binary/byte-reader.js';
import { Instructions } from '../binary/instructions.js';
import { invalid } from '../binary/invalid.js';
import type { ModuleLayout } from '../binary/module-layout.js';
import { HEIGHTS } from '../binary/opcode-table.js';
import { Op, SIMD_BASE } from '../binary/opcodes.js';
import { type FunctionType, isValueType, readValueType, ValueType } from '../binary/value-types.js';
import { BLOCK_VALUES_MAX, LOCALS_MAX } from '../module-limits.js';
import { CALL_FUEL, FRAME_BYTES, LOCALS_SHIFT } from './costs.js';
import { Edit, type FunctionPlan, type PlannedEdit } from './function-plan.js';
import { Points } from './points.js';

/** Plans the function of type `type` whose body `body` is about to read. Throws MODULE_INVALID. */
export function planFunction(
  layout: ModuleLayout,
  type: FunctionType,
  body: ByteReader,
): FunctionPlan {
  return new Planner(layout, type, body).plan();
}

/** What is inserted before instructions that cost by a length or change what memory cannot restore. */
const BULK_EDITS: ReadonlyMap<number, readonly number[]> = new Map([
  [Op.memoryInit, [Edit.chargeBytes]],
  [Op.memoryCopy, [Edit.chargeBytes]],
  [Op.memoryFill, [Edit.chargeBytes]],
  [Op.tableInit, [Edit.chargeElements, Edit.markDirty]],
  [Op.tableCopy, [Edit.chargeElements, Edit.markDirty]],
  [Op.tableFill, [Edit.chargeElements, Edit.markDirty]],
  [Op.tableGrow, [Edit.chargeElements, Edit.markDirty]],
  [Op.tableSet, [Edit.markDirty]],
  [Op.dataDrop, [Edit.markDirty]],
  [Op.elemDrop, [Edit.markDirty]],
]);

interface Frame {
  readonly op: number;
  /** Operands below the block's parameters. */
  readonly base: number;
  readonly params: number;
  readonly results: number;
  /** The point before the block: it pays for what comes behind, too. */
  readonly outerPoint: number;
  /** How many optional points were undecided when the block began. */
  readonly undecided: number;
  /** The block itself is never entered. */
  readonly dead: boolean;
  /** The outermost block that a branch inside leads to, as its number from outside. */
  target: number;
}

class Planner {
  readonly #layout: ModuleLayout;
  readonly #type: FunctionType;
  readonly #reader: ByteReader;
  readonly #code: Instructions;
  readonly #frames: Frame[] = [];
  readonly #edits: PlannedEdit[] = [];
  readonly #points = new Points();
  #height = 0;
  #heightMax = 0;
  #blockValues = 0;
  #dead = false;
  #balanced = true;
  #simd = false;
  #callsGuest = false;

  constructor(layout: ModuleLayout, type: FunctionType, body: ByteReader) {
    this.#layout = layout;
    this.#type = type;
    this.#reader = body;
    this.#code = new Instructions(body);
  }

  plan(): FunctionPlan {
    const reader = this.#reader;
    const localGroups = reader.count('groups of locals', LOCALS_MAX);
    const groupsStart = reader.at;
    const locals = this.#readLocals(localGroups);
    const codeStart = reader.at;
    this.#points.begin();
    this.#points.spend(locals >> LOCALS_SHIFT);
    this.#push(0, 0, this.#type.results.length);
    while (this.#frames.length > 0) this.#step();
    if (!reader.done) throw invalid('a function goes on behind its end', reader.at);
    const slotBytes = this.#simd ? 16 : 8;
    return {
      type: this.#type,
      codeStart,
      codeEnd: reader.end,
      groupsStart,
      localGroups,
      locals,
      edits: this.#edits,
      pointFuel: this.#points.fuel,
      pointLoop: this.#points.loop,
      loopParent: this.#points.loopParent,
      loopCalls: this.#points.loopCalls,
      frameBytes: FRAME_BYTES + slotBytes * (locals + this.#heightMax),
      callsGuest: this.#callsGuest,
      balanced: this.#balanced,
    };
  }

  #readLocals(groups: number): number {
    const reader = this.#reader;
    let locals = this.#type.params.length;
    for (let i = 0; i < groups; i++) {
      const at = reader.at;
      locals += reader.u32();
      if (locals > LOCALS_MAX) {
        throw invalid(`a function has more than ${LOCALS_MAX} locals`, at);
      }
      if (readValueType(reader) === ValueType.v128) this.#simd = true;
    }
    return locals;
  }

  #step(): void {
    const code = this.#code;
    code.next();
    const op = code.op;
    if (op >= SIMD_BASE) this.#simd = true;
    switch (op) {
      case Op.block:
      case Op.loop:
      case Op.if:
        this.#enter(op);
        break;
      case Op.else:
        this.#else();
        break;
      case Op.end:
        this.#end();
        break;
      case Op.br:
      case Op.brTable:
      case Op.brIf:
        this.#branch(op);
        break;
      case Op.unreachable:
        this.#leave();
        break;
      case Op.return:
        this.#escape(this.#frames.length - 1);
        this.#replace(Edit.return, this.#frames.length - 1);
        this.#leave();
        break;
      case Op.call:
      case Op.callIndirect:
        this.#call(op);
        break;
      case Op.nop:
        break;
      default:
        this.#points.spend(1);
        this.#shift(HEIGHTS[op]!);
        if (op === Op.tableSet || op === Op.memoryGrow || op >= Op.memoryInit) this.#special(op);
    }
  }

  #enter(op: number): void {
    const { params, results } = this.#blockArity(this.#code.index);
    if (op === Op.if) {
      this.#points.spend(1);
      this.#shift(-1);
    }
    if (op !== Op.loop) {
      this.#push(op, params, results);
      if (op === Op.if) this.#chargeOptional();
      return;
    }
    this.#push(op, params, results);
    this.#insert(Edit.loadFuel, this.#points.enterLoop());
    this.#charge(this.#points.begin());
  }

  #else(): void {
    const frame = this.#top();
    if (frame.op !== Op.if) throw invalid('an else without its if', this.#code.start);
    this.#checkBalance(frame);
    this.#height = frame.base + frame.params;
    this.#dead = frame.dead;
    this.#points.decide(frame.undecided);
    this.#points.resume(frame.outerPoint);
    this.#chargeOptional();
  }

  #end(): void {
    const frame = this.#top();
    this.#checkBalance(frame);
    this.#height = frame.base + frame.results;
    this.#heightMax = Math.max(this.#heightMax, this.#height);
    this.#dead = frame.dead;
    this.#points.decide(frame.undecided);
    this.#frames.pop();
    if (this.#frames.length === 0) return;
    if (frame.op === Op.loop) this.#points.leaveLoop();
    this.#points.resume(frame.outerPoint);
    // A branch inside leads further out: what comes behind the block may be skipped.
    const outer = this.#top();
    if (frame.target < this.#frames.length) this.#chargeOptional();
    outer.target = Math.min(outer.target, frame.target);
  }

  #branch(op: number): void {
    this.#escape(this.#code.index);
    if (op !== Op.brIf) {
      this.#leave();
      return;
    }
    this.#points.spend(1);
    this.#shift(-1);
    this.#chargeOptional();
  }

  /** A branch to the end of the block around `depth` others, or to its head. */
  #escape(depth: number): void {
    const frame = this.#top();
    frame.target = Math.min(frame.target, this.#frames.length - 1 - depth);
  }

  /** Nothing behind an unconditional branch is executed before the next else or end. */
  #leave(): void {
    this.#points.spend(1);
    this.#height = this.#top().base;
    this.#dead = true;
  }

  #call(op: number): void {
    const { index, start } = this.#code;
    const direct = op === Op.call;
    const typeIndex = direct ? this.#layout.functions[index] : index;
    const type = this.#layout.types[typeIndex ?? -1];
    if (type === undefined) throw invalid('a call of something that is not declared', start);
    if (!direct || index >= this.#layout.importedFunctions) this.#callsGuest = true;
    this.#points.spend(CALL_FUEL + type.params.length + type.results.length);
    this.#shift(type.results.length - type.params.length - (direct ? 0 : 1));
    this.#points.fuelMoves();
  }

  #special(op: number): void {
    const kinds = BULK_EDITS.get(op);
    if (op === Op.memoryGrow) this.#replace(Edit.grow, 0);
    for (const kind of kinds ?? []) this.#insert(kind, 0);
    if (op === Op.memoryGrow || (kinds !== undefined && kinds[0] !== Edit.markDirty)) {
      this.#points.fuelMoves();
    }
  }

  #blockArity(blockType: number): { params: number; results: number } {
    if (blockType === -64) return { params: 0, results: 0 };
    // A value type stands for itself: one byte, read as a signed number of seven bits.
    if (blockType < 0 && isValueType(blockType + 0x80)) return { params: 0, results: 1 };
    const type = this.#layout.types[blockType];
    if (type === undefined) throw invalid('a block of a type not declared', this.#code.start);
    const params = type.params.length;
    const results = type.results.length;
    this.#blockValues += params + results;
    if (this.#blockValues > BLOCK_VALUES_MAX) {
      throw invalid('blocks of a function pass on too many values', this.#code.start);
    }
    return { params, results };
  }

  #push(op: number, params: number, results: number): void {
    const base = Math.max(0, this.#height - params);
    this.#frames.push({
      op,
      base,
      params,
      results,
      outerPoint: this.#points.current,
      undecided: this.#points.undecided,
      dead: this.#dead,
      target: this.#frames.length,
    });
  }

  #top(): Frame {
    return this.#frames[this.#frames.length - 1]!;
  }

  /** A point charges behind the instruction that was read last. */
  #charge(point: number): void {
    const { at } = this.#reader;
    this.#edits.push({ kind: Edit.charge, at, end: at, argument: point });
  }

  #chargeOptional(): void {
    this.#charge(this.#points.beginOptional());
  }

  #shift(by: number): void {
    this.#height += by;
    if (this.#dead) this.#height = Math.max(this.#height, this.#top().base);
    if (this.#height > this.#heightMax) this.#heightMax = this.#height;
  }

  #checkBalance(frame: Frame): void {
    if (!this.#dead && this.#height !== frame.base + frame.results) this.#balanced = false;
  }

  /** Inserts before the instruction that was read last. */
  #insert(kind: number, argument: number): void {
    this.#edits.push({ kind, at: this.#code.start, end: this.#code.start, argument });
  }

  /** Replaces the instruction that was read last. */
  #replace(kind: number, argument: number): void {
    this.#edits.push({ kind, at: this.#code.start, end: this.#reader.at, argument });
  }
}
