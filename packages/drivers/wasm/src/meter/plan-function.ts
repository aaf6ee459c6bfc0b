// Plans the metering of one function: where fuel is charged and how much, what must be replaced, how large
// a frame is. One pass over the instructions, nothing is written yet.
//
// Charging. Code is cut into stretches that control enters only at their beginning: at the function's
// entry, a loop's head, behind a conditional branch, at the arms of an if, where branches meet. A *point*
// at the beginning of a stretch charges for it. Stretches that cost little have no charge of their own:
// they are paid by the point before them, through which every way to them leads: that before the branch,
// or that before the block whose end it is. Entry and loop heads always charge, so the work between two
// charges is bounded by the length of the code. Invariant (no work without charge): whatever way control
// reaches an instruction, it was paid for since it last was there.

import type { ByteReader } from '../binary/byte-reader.js';
import { Instructions } from '../binary/instructions.js';
import { invalid } from '../binary/invalid.js';
import type { ModuleLayout } from '../binary/module-layout.js';
import { HEIGHTS } from '../binary/opcode-table.js';
import { Op, SIMD_BASE } from '../binary/opcodes.js';
import { type FunctionType, isValueType, readValueType, ValueType } from '../binary/value-types.js';
import { BLOCK_VALUES_MAX, LOCALS_MAX } from '../module-limits.js';
import { CALL_FUEL, FRAME_BYTES, LOCALS_SHIFT, STRETCH_FUEL_MIN } from './costs.js';
import { Edit, type FunctionPlan, type PlannedEdit } from './function-plan.js';

/** Plans the function of type `type` whose body `body` is about to read. Throws MODULE_INVALID. */
export function planFunction(
  layout: ModuleLayout,
  type: FunctionType,
  body: ByteReader,
): FunctionPlan {
  return new Planner(layout, type, body).plan();
}

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
  readonly #pointFuel: number[] = [];
  readonly #pointLoop: number[] = [];
  readonly #pointParent: number[] = [];
  /** Optional points of the open blocks, innermost last. */
  readonly #undecided: number[] = [];
  readonly #loopParent: number[] = [];
  readonly #loopCalls: boolean[] = [];
  #point = 0;
  #loop = -1;
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
    this.#newPoint(-1);
    this.#pointFuel[0] = locals >> LOCALS_SHIFT;
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
      pointFuel: this.#pointFuel,
      pointLoop: this.#pointLoop,
      loopParent: this.#loopParent,
      loopCalls: this.#loopCalls,
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
        this.#spend(1);
        this.#shift(HEIGHTS[op]!);
        if (op === Op.tableSet || op === Op.memoryGrow || op >= Op.memoryInit) this.#special(op);
    }
  }

  #enter(op: number): void {
    const { params, results } = this.#blockArity(this.#code.index);
    if (op === Op.if) {
      this.#spend(1);
      this.#shift(-1);
    }
    if (op !== Op.loop) {
      this.#push(op, params, results);
      if (op === Op.if) this.#optionalPoint();
      return;
    }
    const loop = this.#loopParent.length;
    this.#insert(Edit.loadFuel, loop);
    this.#loopParent.push(this.#loop);
    this.#loopCalls.push(false);
    this.#push(op, params, results);
    this.#loop = loop;
    this.#newPoint(-1);
  }

  #else(): void {
    const frame = this.#top();
    if (frame.op !== Op.if) throw invalid('an else without its if', this.#code.start);
    this.#checkBalance(frame);
    this.#height = frame.base + frame.params;
    this.#dead = frame.dead;
    this.#decide(frame.undecided);
    this.#point = frame.outerPoint;
    this.#optionalPoint();
  }

  #end(): void {
    const frame = this.#top();
    this.#checkBalance(frame);
    this.#height = frame.base + frame.results;
    this.#heightMax = Math.max(this.#heightMax, this.#height);
    this.#dead = frame.dead;
    this.#decide(frame.undecided);
    this.#frames.pop();
    if (this.#frames.length === 0) return;
    if (frame.op === Op.loop) this.#loop = this.#loopParent[this.#loop]!;
    this.#point = frame.outerPoint;
    // A branch inside leads further out: what comes behind the block may be skipped.
    const outer = this.#top();
    if (frame.target < this.#frames.length) this.#optionalPoint();
    outer.target = Math.min(outer.target, frame.target);
  }

  #branch(op: number): void {
    this.#escape(this.#code.index);
    if (op !== Op.brIf) {
      this.#leave();
      return;
    }
    this.#spend(1);
    this.#shift(-1);
    this.#optionalPoint();
  }

  /** A branch to the end of the block around `depth` others, or to its head. */
  #escape(depth: number): void {
    const frame = this.#top();
    frame.target = Math.min(frame.target, this.#frames.length - 1 - depth);
  }

  /** Nothing behind an unconditional branch is executed before the next else or end. */
  #leave(): void {
    this.#spend(1);
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
    this.#spend(CALL_FUEL + type.params.length + type.results.length);
    this.#shift(type.results.length - type.params.length - (direct ? 0 : 1));
    this.#fuelMoves();
  }

  #special(op: number): void {
    switch (op) {
      case Op.memoryGrow:
        this.#replace(Edit.grow, 0);
        this.#fuelMoves();
        break;
      case Op.memoryInit:
      case Op.memoryCopy:
      case Op.memoryFill:
        this.#insert(Edit.chargeBytes, 0);
        this.#fuelMoves();
        break;
      case Op.tableInit:
      case Op.tableCopy:
      case Op.tableFill:
      case Op.tableGrow:
        this.#insert(Edit.chargeElements, 0);
        this.#insert(Edit.markDirty, 0);
        this.#fuelMoves();
        break;
      case Op.tableSet:
      case Op.dataDrop:
      case Op.elemDrop:
        this.#insert(Edit.markDirty, 0);
        return;
      default:
    }
  }

  /** Something here changes the fuel global: the loops around cannot keep fuel in a local. */
  #fuelMoves(): void {
    for (let i = this.#loop; i >= 0 && !this.#loopCalls[i]; i = this.#loopParent[i]!) {
      this.#loopCalls[i] = true;
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
      outerPoint: this.#point,
      undecided: this.#undecided.length,
      dead: this.#dead,
      target: this.#frames.length,
    });
  }

  #top(): Frame {
    return this.#frames[this.#frames.length - 1]!;
  }

  /** Begins a point; one that may be given up is paid by `parent` then, others have none: -1. */
  #newPoint(parent: number): void {
    this.#point = this.#pointFuel.length;
    this.#pointFuel.push(0);
    this.#pointLoop.push(this.#loop);
    this.#pointParent.push(parent);
    if (this.#point === 0) return;
    const { at } = this.#reader;
    this.#edits.push({ kind: Edit.charge, at, end: at, argument: this.#point });
  }

  /** A stretch begins that may be worth a charge of its own. */
  #optionalPoint(): void {
    this.#newPoint(this.#point);
    this.#undecided.push(this.#point);
  }

  /** Gives up the optional points from number `from` on that gathered little: no more can come. */
  #decide(from: number): void {
    const { length } = this.#undecided;
    for (let i = length - 1; i >= from; i--) {
      const point = this.#undecided[i]!;
      const fuel = this.#pointFuel[point]!;
      if (fuel >= STRETCH_FUEL_MIN) continue;
      this.#pointFuel[this.#pointParent[point]!]! += fuel;
      this.#pointFuel[point] = 0;
    }
    this.#undecided.length = from;
  }

  #spend(fuel: number): void {
    this.#pointFuel[this.#point]! += fuel;
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
