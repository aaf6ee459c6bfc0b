// How a host function ends a message. A fault passes through the guest's frames like any exception; a
// guest cannot catch it, because modules that use exceptions are refused. It is no Error: rejections are
// ordinary, and recording a stack costs more than the rest of the message.

import type { ErrorCode } from '@deltabase/base';

/** The end of a message, with the code and reason that its sender gets. */
export class Fault {
  readonly code: ErrorCode;
  readonly message: string;

  constructor(code: ErrorCode, message: string) {
    this.code = code;
    this.message = message;
  }
}

/** The guest gave the host something that it may not give. */
export function badOutput(message: string): Fault {
  return new Fault('BAD_OUTPUT', message);
}
