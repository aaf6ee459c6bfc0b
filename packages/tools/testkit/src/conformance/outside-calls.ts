// A port calls back from a turn of its own, never from inside a call into it: this sees to that in suites of ports.

import assert from 'node:assert/strict';

export class OutsideCalls {
  #isCalling = false;

  /** A call into the port. */
  into<T>(run: () => T): T {
    this.#isCalling = true;
    const result = run();
    this.#isCalling = false;
    return result;
  }

  /** What the port has just done, such as "a frame was delivered". */
  holdsWhen(what: string): void {
    assert(!this.#isCalling, `${what} from inside a call`);
  }
}
