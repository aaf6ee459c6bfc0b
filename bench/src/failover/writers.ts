// Writers that add to counters, a message at a time each, until they are told to stop.

import type { Prng } from '@deltabase/base';
import type { DocumentHandle } from '@deltabase/client';
import { Silence } from '@deltabase/testkit';
import { sleep } from '../bench-cluster.js';
import type { Counters } from '../counters.js';

const WRITERS = 64;
const DOCUMENTS = 500;
export const WAIT_MS = 60_000;

export class Writers {
  /** Of all messages. */
  readonly silence = new Silence();
  readonly #counters: Counters;
  readonly #targets: readonly DocumentHandle[];
  readonly #writing: readonly Promise<void>[];
  #isStopping = false;
  #restMs = 0;
  #answers = 0;

  constructor(counters: Counters, random: Prng) {
    this.#counters = counters;
    this.#targets = Array.from({ length: DOCUMENTS }, (_, n) => counters.document(`load-${n}`));
    this.#writing = Array.from({ length: WRITERS }, (_, writer) =>
      this.#write(random.fork(`writer ${writer}`)),
    );
    // `stop` tells of a failure; it comes later.
    for (const writing of this.#writing) writing.catch(() => {});
  }

  /** Waits for so many answers more. */
  async answered(count: number): Promise<void> {
    const goal = this.#answers + count;
    const endMs = performance.now() + WAIT_MS;
    while (this.#answers < goal) {
      if (performance.now() > endMs) throw new Error('the writers get no answers');
      await sleep(10);
    }
  }

  /** Each writer rests from now on behind each message, about so long. */
  rest(restMs: number): void {
    this.#restMs = restMs;
  }

  /** Rejects if any message failed, or did not take effect exactly once. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(this.#writing);
    await this.#counters.verify();
  }

  async #write(random: Prng): Promise<void> {
    while (!this.#isStopping) {
      const target = this.#targets[random.below(DOCUMENTS)]!;
      const { document, channel, payload } = this.#counters.add(target);
      await document.send(channel, payload);
      this.#answers++;
      this.silence.answered();
      if (this.#restMs > 0) await sleep(this.#restMs * (0.5 + random.fraction()));
    }
  }
}
