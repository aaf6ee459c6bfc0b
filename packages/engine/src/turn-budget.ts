// How much a turn may still do before ticks and other nodes must get their turn: neither a loop of hostile
// messages nor a long log to apply may cost this node its leadership (LogicCannotHurtTheHost, pitfall 21).
// Fuel is counted in about nanoseconds.

import type { Limits } from '@deltabase/base';

export class TurnBudget {
  #messages: number;
  #fuel: number;
  #applyBytes: number;

  constructor(limits: Limits) {
    this.#messages = limits.turnMessagesMax;
    this.#fuel = limits.turnFuelMax;
    this.#applyBytes = limits.applyBytesMax;
  }

  /** Whether no further message may be executed. */
  get spent(): boolean {
    return this.#messages <= 0 || this.#fuel <= 0;
  }

  /** Whether no further entries may be applied. */
  get applied(): boolean {
    return this.#applyBytes <= 0;
  }

  /** One message was executed, or found out not to be. */
  spend(fuel: number): void {
    this.#messages--;
    this.#fuel -= fuel;
  }

  /** An entry of so many bytes was applied. */
  apply(bytes: number): void {
    this.#applyBytes -= bytes;
  }
}
