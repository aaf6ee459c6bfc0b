// Prepares large modules on a thread of their own: reading and metering megabytes takes some 100 ms, and a
// node that is silent for so long misses its ticks. Small ones take less time than starting a thread.

import { Worker } from 'node:worker_threads';
import { DeltabaseError, type Limits } from '@deltabase/base';
import { invalid } from './binary/invalid.js';
import { type PreparedModule, prepareModule } from './prepare.js';

/** What the thread is given. */
export interface Order {
  readonly module: Uint8Array;
  readonly limits: Limits;
}

/** What it says. */
export type Answer =
  | { readonly kind: 'prepared'; readonly prepared: PreparedModule }
  | { readonly kind: 'invalid'; readonly message: string };

/** Larger modules are prepared aside: bytes; this much takes some 10 ms. */
const BYTES_MAX = 256 * 1024;
/** What the thread may use for a module: MB; a hundred times moduleBytesMax. */
const HEAP_MB_MAX = 1024;

/** Prepares `module`. Rejects with MODULE_INVALID and what is wrong, or OVERLOADED where that cannot be told now. */
export async function prepareAside(module: Uint8Array, limits: Limits): Promise<PreparedModule> {
  if (module.length <= BYTES_MAX || module.length > limits.moduleBytesMax) {
    return prepareModule(module, limits);
  }
  const answer = await ask({ module, limits });
  if (answer.kind === 'invalid') throw new DeltabaseError('MODULE_INVALID', answer.message);
  return answer.prepared;
}

function ask(order: Order): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./prepare-worker.js', import.meta.url), {
      workerData: order,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX },
    });
    worker.once('message', resolve);
    worker.once('error', (error) => {
      const isFull = (error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY';
      reject(isFull ? invalid('the module takes too much memory to read') : threadFailed(error));
    });
    // After an answer or an error this changes nothing.
    worker.once('exit', (code) => reject(threadFailed(`it ended with ${code}`)));
  });
}

/** The thread had no memory or was not started; whatever it was, it ended that thread and not this one. */
function threadFailed(cause: unknown): DeltabaseError {
  const why = cause instanceof Error ? cause.message : String(cause);
  const message = `the thread that reads large modules failed (${why}): ask again later`;
  return new DeltabaseError('OVERLOADED', message, { cause });
}
