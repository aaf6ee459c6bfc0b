// How much a turn may still execute before ticks and other nodes must get their turn: a loop of hostile
// messages costs its senders errors, never this node its leadership (LogicCannotHurtTheHost).

import type { Limits } from '@deltabase/base';

export class TurnBudget {
  #messages: number;
  #fuel: number;

  constructor(limits: Limits) {
    this.#messages = limits.turnMessagesMax;
    this.#fuel = limits.turnFuelMax;
  }

  get spent(): boolean {
    return this.#messages <= 0 || this.#fuel <= 0;
  }

  /** One message was executed. */
  spend(fuel: number): void {
    this.#messages--;
    this.#fuel -= fuel;
  }
}
