// What a message ends with when its handler does not return: every way in which a guest can fail, told
// apart. What is none of them is a defect of the host and is not caught.

import { DeltabaseError } from '@deltabase/base';
import { quoteName } from '../binary/invalid.js';
import { wasm } from '../webassembly.js';
import { Fault } from './fault.js';
import type { Instance } from './instance.js';

/** How a message failed. */
export interface Failure {
  readonly fault: Fault;
  /** The guest was cut off at an unknown place: its instance must not be used again. */
  readonly ruined: boolean;
}

/** The failure that `thrown` is; `undefined`: it is no doing of the guest. */
export function failureOf(thrown: unknown, instance: Instance): Failure | undefined {
  if (thrown instanceof Fault) return { fault: thrown, ruined: false };
  if (thrown instanceof DeltabaseError) return refusedFailure(thrown);
  if (thrown instanceof wasm.RuntimeError)
    return { fault: trapFault(thrown, instance), ruined: true };
  if (isStackOverflow(thrown)) return { fault: stackFault(), ruined: true };
  return undefined;
}

/** The fault of a message that used more fuel than it had. */
export function fuelFault(): Fault {
  return new Fault('OUT_OF_FUEL', 'the handler ran for too long; do less in one message');
}

/** What the draft and the JSON reader refuse to take. */
function refusedFailure(error: DeltabaseError): Failure | undefined {
  switch (error.code) {
    case 'INVALID_ARGUMENT':
      return { fault: new Fault('BAD_OUTPUT', error.message), ruined: false };
    case 'BAD_PATCH':
    case 'OUTPUT_TOO_LARGE':
    case 'DOCUMENT_TOO_LARGE':
      return { fault: new Fault(error.code, error.message), ruined: false };
    default:
      return undefined;
  }
}

function trapFault(trap: Error, instance: Instance): Fault {
  if (instance.fuel() < 0) return fuelFault();
  if (instance.stack() < 0) return stackFault();
  if (instance.growRefused) {
    return new Fault(
      'OUT_OF_MEMORY',
      `the handler asked for more memory than it may have and trapped: ${trap.message}`,
    );
  }
  return new Fault('TRAPPED', `${trap.message}${placeOf(trap)}`);
}

function stackFault(): Fault {
  return new Fault('STACK_OVERFLOW', 'the handler recursed too deep; recurse less or use a loop');
}

/** V8's own limit, should it be reached before the counted one: no WebAssembly error. */
function isStackOverflow(thrown: unknown): boolean {
  return thrown instanceof RangeError && thrown.message === 'Maximum call stack size exceeded';
}

/** Where it trapped, by the name that the module gives its function. */
function placeOf(trap: Error): string {
  const name = /^\s*at (?:\S*\.)?(\S+) \(wasm:\/\//m.exec(trap.stack ?? '')?.[1];
  return name === undefined ? '' : ` in function ${quoteName(name)}`;
}
