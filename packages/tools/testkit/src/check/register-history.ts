// What clients do to one register and are told of it, and whether that could have happened one at a time.

import assert from 'node:assert/strict';
import { checkLinearizable } from './linearizability.js';
import { type Moments, OperationLog } from './operation-log.js';
import { type RegisterInput, type RegisterOutput, registerModelFor } from './register.js';

export class RegisterHistory {
  readonly log: OperationLog<RegisterInput, RegisterOutput>;
  readonly #name: string;

  constructor(name: string, moments?: Moments) {
    this.#name = name;
    this.log = new OperationLog(moments);
  }

  /** Throws unless all operations could have happened one at a time. */
  checkLinearizable(): void {
    const { operations } = this.log;
    const verdict = checkLinearizable(registerModelFor(operations), operations);
    if (verdict.kind === 'linearizable') return;
    const what =
      verdict.kind === 'unknown'
        ? `unknown after ${verdict.steps} steps`
        : `not linearizable: ${JSON.stringify(verdict.stuck)} fits nowhere behind ` +
          JSON.stringify(verdict.order.slice(-5));
    assert.fail(`${this.#name}: ${what}`);
  }
}
