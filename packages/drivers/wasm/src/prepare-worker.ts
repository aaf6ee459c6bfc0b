// The thread that prepares one large module (prepare-aside.ts starts it): reads its bytes and the limits,
// answers with the metered module or with why it is refused, and ends.

import { parentPort, workerData } from 'node:worker_threads';
import { assert, DeltabaseError } from '@deltabase/base';
import { prepareModule } from './prepare.js';
import type { Answer, Order } from './prepare-aside.js';

assert(parentPort !== null, 'this module is run as a worker');
const { module, limits } = workerData as Order;

try {
  const prepared = prepareModule(module, limits);
  const answer: Answer = { kind: 'prepared', prepared };
  parentPort.postMessage(answer, [prepared.bytes.buffer as ArrayBuffer]);
} catch (error) {
  if (!(error instanceof DeltabaseError && error.code === 'MODULE_INVALID')) throw error;
  const answer: Answer = { kind: 'invalid', message: error.message };
  parentPort.postMessage(answer);
}
