// From the bytes that a user deploys to the bytes that are compiled: read, checked, metered. Pure and
// synchronous, and the only place that knows the order: nothing is done with code before its shape is
// known to be bounded, and V8 validates what came in and what goes out.

import type { Limits } from '@deltabase/base';
import type { Manifest } from '@deltabase/machine';
import { checkModule } from './abi/check-module.js';
import { invalid } from './binary/invalid.js';
import { readModule } from './binary/read-module.js';
import { meterModule, planModule } from './meter/meter-module.js';
import { wasm } from './webassembly.js';

/** A module ready to be compiled. */
export interface PreparedModule {
  readonly manifest: Manifest;
  /** The metered module. */
  readonly bytes: Uint8Array;
}

/** Prepares the module `bytes`. Throws MODULE_INVALID with what is wrong. */
export function prepareModule(bytes: Uint8Array, limits: Limits): PreparedModule {
  const layout = readModule(bytes, limits);
  const manifest = checkModule(layout, limits);
  const plans = planModule(layout);
  if (!wasm.validate(bytes)) throw invalid(`the module is invalid: ${reasonOf(bytes)}`);
  if (plans.some((plan) => !plan.balanced)) {
    // The opcode table disagrees with V8: a defect of ours, but no reason to stop a node.
    throw invalid('the module holds code whose operands could not be followed');
  }
  const metered = meterModule(layout, plans, limits.memoryPagesMax);
  if (!wasm.validate(metered)) {
    // The input is valid, so a bound of the engine on the size of code is exceeded.
    throw invalid(`the module is too large once it is metered: ${reasonOf(metered)}`);
  }
  return { manifest, bytes: metered };
}

/** Why V8 refuses `bytes`. */
function reasonOf(bytes: Uint8Array): string {
  try {
    new wasm.Module(bytes);
    return 'unknown reason';
  } catch (error) {
    if (!(error instanceof wasm.CompileError)) throw error;
    return error.message.replace(/^WebAssembly\.Module\(\): /, '');
  }
}
