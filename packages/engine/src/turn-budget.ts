// How much a turn may still do before ticks and other nodes must get their turn: neither a loop of hostile
// messages nor a long log to apply may cost this node its leadership (LogicCannotHurtTheHost, pitfall 21).
// Fuel is counted in about nanoseconds; but what a message does to a large document, on a processor that others use
// as well, may take several times as long, so that the clock is looked at too.

import type { Limits } from '@deltabase/base';

/** The clock is looked at after so much fuel, about a millisecond: small messages do not pay for it. */
const LOOK_FUEL = 1_000_000;

export class TurnBudget {
  readonly #nowMs: () => number;
  readonly #endMs: number;
  #messages: number;
  #fuel: number;
  #unlookedFuel = 0;
  #isLate = false;
  #applyBytes: number;

  /** A turn that begins now. */
  constructor(limits: Limits, nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#endMs = nowMs() + limits.turnMsMax;
    this.#messages = limits.turnMessagesMax;
    this.#fuel = limits.turnFuelMax;
    this.#applyBytes = limits.applyBytesMax;
  }

  /** Whether no further message may be executed. */
  get spent(): boolean {
    return this.#messages <= 0 || this.#fuel <= 0 || this.#isLate;
  }

  /** Whether no further entries may be applied. */
  get applied(): boolean {
    return this.#applyBytes <= 0;
  }

  /** One message was executed, or found out not to be. */
  spend(fuel: number): void {
    this.#messages--;
    this.#fuel -= fuel;
    this.#unlookedFuel += fuel;
    if (this.#unlookedFuel >= LOOK_FUEL) this.#look();
  }

  /** Entries of so many bytes were applied. */
  apply(bytes: number): void {
    this.#applyBytes -= bytes;
    this.#look();
  }

  #look(): void {
    this.#unlookedFuel = 0;
    this.#isLate = this.#nowMs() >= this.#endMs;
  }
}
