// Makes an instance and runs its start function: under fuel, without a message, with no host function but
// `log` (what else could it ask?). So an image of the result can stand for the instance ever after.

import { DeltabaseError, type Limits } from '@deltabase/base';
import { invalid } from '../binary/invalid.js';
import { type WasmModule, wasm } from '../webassembly.js';
import type { Activation } from './activation.js';
import { failureOf } from './fault-of.js';
import type { HostFunctions } from './host-functions.js';
import { Instance } from './instance.js';

/** What instances are made of. */
export interface InstanceParts {
  readonly module: WasmModule;
  readonly channels: readonly string[];
  readonly functions: HostFunctions;
  readonly active: Activation;
  readonly limits: Limits;
}

/**
 * An instance that has started, and the fuel that it took. Throws MODULE_INVALID where it fails, and
 * OVERLOADED where this process has no room for its memory.
 */
export function startInstance(parts: InstanceParts): { instance: Instance; fuel: number } {
  const instance = makeInstance(parts);
  const { active, limits } = parts;
  active.begin(instance);
  try {
    instance.enter(limits.fuelPerMessageMax, limits.stackBytesMax);
    instance.start();
    return { instance, fuel: limits.fuelPerMessageMax - instance.fuel() };
  } catch (thrown) {
    const failure = failureOf(thrown, instance);
    if (failure === undefined) throw thrown;
    const { code, message } = failure.fault;
    const last = active.logs.at(-1);
    const said = last === undefined ? '' : `; it logged ${JSON.stringify(last)}`;
    throw invalid(`the start function failed with ${code}: ${message}${said}`);
  } finally {
    active.end();
  }
}

function makeInstance({ module, functions, channels }: InstanceParts): Instance {
  try {
    return new Instance(module, functions, channels);
  } catch (error) {
    if (error instanceof wasm.RuntimeError) {
      throw invalid(error.message.replace(/^WebAssembly\.Instance\(\): /, ''));
    }
    if (!(error instanceof RangeError)) throw error;
    const message = 'this node has no memory for another instance now; ask again later';
    throw new DeltabaseError('OVERLOADED', message, { cause: error });
  }
}
