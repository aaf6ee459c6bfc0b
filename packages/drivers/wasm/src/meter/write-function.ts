// Writes a function as its plan says (plan-function.ts). Code that is not edited is copied byte for byte.
//
// Fuel and stack are globals of the module. A charge subtracts, stores and traps below zero; the new value
// goes through a local, and loops that nothing else can charge in read it from there: they store fuel
// but never load it. So the global is exact at every moment, also when something else traps.
// A function that can recurse subtracts its frame from the stack when entered and gives it back at its
// one exit: its code stands in a block, and each `return` is a branch to that block's end.

import type { ByteWriter } from '../binary/byte-writer.js';
import { Op } from '../binary/opcodes.js';
import { ValueType } from '../binary/value-types.js';
import { CALL_FUEL, LEAF_FRAME_BYTES_MAX } from './costs.js';
import { Edit, type FunctionPlan, type PlannedEdit } from './function-plan.js';
import type { MeterSymbols } from './symbols.js';

const EMPTY_BLOCK = 0x40;

/** Appends the body of the function that `plan` was made for, without the length in front. */
export function writeFunction(
  out: ByteWriter,
  bytes: Uint8Array,
  plan: FunctionPlan,
  symbols: MeterSymbols,
): void {
  new FunctionWriter(out, bytes, plan, symbols).write();
}

class FunctionWriter {
  readonly #out: ByteWriter;
  readonly #bytes: Uint8Array;
  readonly #plan: FunctionPlan;
  readonly #symbols: MeterSymbols;
  readonly #fuelLocal: number;
  readonly #stackLocal: number;
  /** Whether its frames are counted. */
  readonly #counted: boolean;
  readonly #entryFuel: number;

  constructor(out: ByteWriter, bytes: Uint8Array, plan: FunctionPlan, symbols: MeterSymbols) {
    this.#out = out;
    this.#bytes = bytes;
    this.#plan = plan;
    this.#symbols = symbols;
    this.#fuelLocal = plan.locals;
    this.#stackLocal = plan.locals + 1;
    this.#counted = plan.callsGuest || plan.frameBytes > LEAF_FRAME_BYTES_MAX;
    this.#entryFuel = Math.max(0, plan.pointFuel[0]! - CALL_FUEL);
  }

  write(): void {
    const out = this.#out;
    const { codeStart, codeEnd, edits } = this.#plan;
    this.#locals();
    if (this.#counted) this.#enterCounted();
    else if (this.#entryFuel > 0) this.#charge(this.#entryFuel, -1);
    let at = codeStart;
    for (const edit of edits) {
      out.copy(this.#bytes, at, edit.at);
      at = this.#edit(edit) ? edit.end : edit.at;
    }
    out.copy(this.#bytes, at, codeEnd);
    if (this.#counted) this.#leaveCounted();
  }

  #locals(): void {
    const out = this.#out;
    const { groupsStart, codeStart, localGroups } = this.#plan;
    out.u32(localGroups + 1);
    out.copy(this.#bytes, groupsStart, codeStart);
    out.put(this.#counted ? 2 : 1, ValueType.i32);
  }

  #enterCounted(): void {
    const out = this.#out;
    const { fuel, stack } = this.#symbols;
    this.#subtract(fuel, this.#entryFuel, this.#fuelLocal);
    this.#subtract(stack, this.#plan.frameBytes, this.#stackLocal);
    out.u8(Op.localGet);
    out.u32(this.#fuelLocal);
    out.u8(Op.localGet);
    out.u32(this.#stackLocal);
    out.u8(Op.i32Or);
    this.#trapIfNegative();
    out.u8(Op.block);
    this.#blockType();
  }

  /** Behind the code, whose own `end` closes the block: the results stay below. */
  #leaveCounted(): void {
    const out = this.#out;
    out.u8(Op.localGet);
    out.u32(this.#stackLocal);
    out.u8(Op.i32Const);
    out.s32(this.#plan.frameBytes);
    out.put(Op.i32Add, Op.globalSet);
    out.u32(this.#symbols.stack);
    out.u8(Op.end);
  }

  #blockType(): void {
    const { results } = this.#plan.type;
    if (results.length === 0) this.#out.u8(EMPTY_BLOCK);
    else if (results.length === 1) this.#out.u8(results[0]!);
    else this.#out.s32(this.#symbols.blockType(results));
  }

  /** Carries out `edit`; `false`: the code in its place stays. */
  #edit(edit: PlannedEdit): boolean {
    const { loopParent, pointFuel, pointLoop } = this.#plan;
    switch (edit.kind) {
      case Edit.charge: {
        const fuel = pointFuel[edit.argument]!;
        if (fuel > 0) this.#charge(fuel, pointLoop[edit.argument]!);
        return true;
      }
      case Edit.loadFuel:
        if (this.#keepsFuel(edit.argument) && !this.#keepsFuel(loopParent[edit.argument]!)) {
          this.#loadFuel();
        }
        return true;
      case Edit.return:
        if (!this.#counted) return false;
        this.#out.u8(Op.br);
        this.#out.u32(edit.argument);
        return true;
      case Edit.grow:
        return this.#call(this.#symbols.grow);
      case Edit.chargeBytes:
        return this.#call(this.#symbols.chargeBytes);
      case Edit.chargeElements:
        return this.#call(this.#symbols.chargeElements);
      default:
        return this.#call(this.#symbols.markDirty);
    }
  }

  /** Whether fuel is in its local throughout `loop`. */
  #keepsFuel(loop: number): boolean {
    return loop >= 0 && !this.#plan.loopCalls[loop];
  }

  #loadFuel(): void {
    this.#out.u8(Op.globalGet);
    this.#out.u32(this.#symbols.fuel);
    this.#out.u8(Op.localSet);
    this.#out.u32(this.#fuelLocal);
  }

  #charge(fuel: number, loop: number): void {
    const out = this.#out;
    if (this.#keepsFuel(loop)) {
      out.u8(Op.localGet);
      out.u32(this.#fuelLocal);
      this.#store(this.#symbols.fuel, fuel, this.#fuelLocal);
    } else {
      this.#subtract(this.#symbols.fuel, fuel, this.#fuelLocal);
    }
    out.u8(Op.localGet);
    out.u32(this.#fuelLocal);
    this.#trapIfNegative();
  }

  #subtract(global: number, amount: number, local: number): void {
    this.#out.u8(Op.globalGet);
    this.#out.u32(global);
    this.#store(global, amount, local);
  }

  /** What lies on the stack, less `amount`, into `local` and `global`. */
  #store(global: number, amount: number, local: number): void {
    const out = this.#out;
    out.u8(Op.i32Const);
    out.s32(amount);
    out.put(Op.i32Sub, Op.localTee);
    out.u32(local);
    out.u8(Op.globalSet);
    out.u32(global);
  }

  #trapIfNegative(): void {
    this.#out.put(Op.i32Const, 0, Op.i32LtS, Op.if, EMPTY_BLOCK, Op.unreachable, Op.end);
  }

  #call(index: number): true {
    this.#out.u8(Op.call);
    this.#out.u32(index);
    return true;
  }
}
