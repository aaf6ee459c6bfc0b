// Runs one message in an instance, from giving it fuel to restoring it. The instance comes out as it went
// in or is reported as spent; the activation is empty again in any case.

import type { Draft } from '@deltabase/delta';
import type { Call, Outcome } from '@deltabase/engine';
import { INSTANCE_FUEL, MESSAGE_FUEL, RESTORE_BYTES_SHIFT } from '../meter/costs.js';
import type { WasmFunction } from '../webassembly.js';
import type { Activation } from './activation.js';
import { type Failure, failureOf, fuelFault } from './fault-of.js';
import type { Instance, MemoryImage } from './instance.js';

/** What is run, and on what. */
export interface Run {
  readonly instance: Instance;
  readonly image: MemoryImage;
  readonly handler: WasmFunction;
  readonly call: Call;
  readonly draft: Draft;
  /** Fuel that making another instance costs, should this one be spent. */
  readonly startFuel: number;
  /** Called instead of keeping the instance: it can or must not be used again. */
  readonly spent: () => void;
}

const NO_LOGS: readonly string[] = [];

/** Runs the message. What is thrown is a defect of the host; the instance is then spent, too. */
export function runMessage(active: Activation, run: Run): Outcome {
  const { instance, image } = run;
  let restored = false;
  active.begin(instance, run.call, run.draft);
  try {
    const failure = callGuest(active, run);
    const left = Math.max(0, instance.fuel() - active.debt);
    restored = failure?.ruined !== true && instance.restore(image);
    let fuel = active.limits.fuelPerMessageMax - left;
    fuel += MESSAGE_FUEL + (image.length >>> RESTORE_BYTES_SHIFT);
    if (!restored) fuel += INSTANCE_FUEL + run.startFuel;
    return outcomeOf(active, failure, fuel);
  } finally {
    active.end();
    if (!restored) run.spent();
  }
}

/** Runs the handler, after `init` where the document is new; how it failed, if it did. */
function callGuest(active: Activation, run: Run): Failure | undefined {
  const { instance } = run;
  const { fuelPerMessageMax, stackBytesMax } = active.limits;
  instance.enter(fuelPerMessageMax, stackBytesMax);
  try {
    if (run.call.create) instance.init?.();
    run.handler();
  } catch (thrown) {
    const failure = failureOf(thrown, instance);
    if (failure === undefined) throw thrown;
    return failure;
  }
  // What host functions cost and have not charged yet counts like the rest.
  if (instance.fuel() < active.debt) return { fault: fuelFault(), ruined: false };
  return undefined;
}

function outcomeOf(active: Activation, failure: Failure | undefined, fuel: number): Outcome {
  const logs = active.logs.length === 0 ? NO_LOGS : active.logs.slice();
  if (failure === undefined) return { kind: 'done', reply: active.reply, fuel, logs };
  const { code, message } = failure.fault;
  return { kind: 'failed', code, message, fuel, logs };
}
