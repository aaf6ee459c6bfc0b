// The host functions of the guest ABI (docs/machine-abi.md), one object for each host. They reach nothing
// but the activation: no state of the host, no time and no chance but the message's. What they return is
// what the guest sees; what they throw ends the message.

import type { HostFunctionName } from '../abi/abi.js';
import type { Activation } from './activation.js';
import { emitFunctions } from './emit-functions.js';
import { readFunctions } from './read-functions.js';
import { resultFunctions } from './result-functions.js';

/** What a module may import, by name. */
export type HostFunctions = Readonly<Record<HostFunctionName, unknown>>;

/** The host functions, working on whatever message `active` runs. */
export function makeHostFunctions(active: Activation): HostFunctions {
  return {
    ...readFunctions(active),
    ...emitFunctions(active),
    ...resultFunctions(active),
  } satisfies HostFunctions;
}
