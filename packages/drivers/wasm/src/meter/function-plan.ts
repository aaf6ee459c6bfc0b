// The plan of metering one function, as made by plan-function.ts and carried out by write-function.ts.

import type { FunctionType } from '../binary/value-types.js';

/** What is to be done at one place of a function. */
export const Edit = {
  /** Insert a charge; `edit.argument` is the point. */
  charge: 0,
  /** Insert the loading of fuel into its local before a loop; the argument is the loop. */
  loadFuel: 1,
  /** Replace `return` by a branch to the outermost label; the argument is its depth. */
  return: 2,
  /** Replace memory.grow. */
  grow: 3,
  /** Charge for the length on top of the stack, in bytes of memory or in elements of a table. */
  chargeBytes: 4,
  chargeElements: 5,
  /** Note that memory can no longer restore the instance: a table changed, a segment is dropped. */
  markDirty: 6,
} as const;

/** An edit that takes the place of `[at, end)`; of nothing, where it inserts. In ascending order. */
export interface PlannedEdit {
  readonly kind: number;
  readonly at: number;
  readonly end: number;
  readonly argument: number;
}

/** The plan of one function. */
export interface FunctionPlan {
  readonly type: FunctionType;
  /** Where the instructions begin, behind the declarations of locals. */
  readonly codeStart: number;
  readonly codeEnd: number;
  /** Where the declarations of locals begin, behind their number, which is `localGroups`. */
  readonly groupsStart: number;
  readonly localGroups: number;
  /** Locals, parameters included. */
  readonly locals: number;
  readonly edits: readonly PlannedEdit[];
  /** What each point charges; point 0 is the function's entry. 0: the point was given up. */
  readonly pointFuel: readonly number[];
  /** The innermost loop around each point, -1: none. */
  readonly pointLoop: readonly number[];
  /** The loop around each loop, -1: none; and whether anything in it may change the fuel global. */
  readonly loopParent: readonly number[];
  readonly loopCalls: readonly boolean[];
  /** Estimated bytes of a frame. */
  readonly frameBytes: number;
  /** Whether it calls functions of the module, directly or through a table. */
  readonly callsGuest: boolean;
  /** Whether operands were balanced at every end; always so in a valid module. */
  readonly balanced: boolean;
}
