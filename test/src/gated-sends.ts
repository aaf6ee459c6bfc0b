// A series of messages sent in order: so many unanswered at a time, and none beyond a gate that others move.
// Whoever wants to disturb a cluster at a certain message can so be sure that the load is there when it does.

export interface GatedSendsOptions {
  readonly count: number;
  /** Messages that may be without an answer at a time. */
  readonly inFlightMax: number;
  /** Sends the message at this place; resolves with the seq that it made. */
  send(at: number): Promise<number>;
}

export class GatedSends {
  readonly #options: GatedSendsOptions;
  readonly #seqs: number[] = [];
  readonly #milestones = new Map<number, () => void>();
  readonly #finished: Promise<void>;
  #finish!: () => void;
  #fail!: (why: unknown) => void;
  #gate = 0;
  #sent = 0;
  #answered = 0;
  #heldSinceMs: number | undefined;
  #heldMs = 0;

  constructor(options: GatedSendsOptions) {
    this.#options = options;
    this.#finished = new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
    // It may fail before anybody waits for it.
    this.#finished.catch(() => {});
  }

  get answered(): number {
    return this.#answered;
  }

  /** Messages without an answer. */
  get inFlight(): number {
    return this.#sent - this.#answered;
  }

  /** For how long nothing was in flight because the gate was shut, ms. */
  get heldMs(): number {
    return this.#heldMs;
  }

  /** Lets the messages before `count` go. */
  openTo(count: number): void {
    this.#gate = Math.min(count, this.#options.count);
    this.#pump();
  }

  /**
   * Does `act` with that answer, before any further one counts, and resolves with what it gives. Many answers come
   * in one turn: whoever acted on a promise of this one would act after all of them.
   */
  atAnswer<T>(count: number, act: () => T | Promise<T>): Promise<T> {
    if (this.#milestones.has(count)) throw new Error(`something waits for answer ${count} already`);
    return new Promise((resolve, reject) => {
      const acts = async (): Promise<T> => act();
      const reached = (): void => void acts().then(resolve, reject);
      if (this.#answered >= count) reached();
      else this.#milestones.set(count, reached);
    });
  }

  /** Resolves with each message's seq when all are answered; rejects as soon as one fails. */
  async seqs(): Promise<readonly number[]> {
    await this.#finished;
    return this.#seqs;
  }

  #pump(): void {
    const { inFlightMax } = this.#options;
    while (this.#sent < this.#gate && this.inFlight < inFlightMax) {
      const at = this.#sent++;
      this.#options.send(at).then((seq) => this.#settled(at, seq), this.#fail);
    }
    this.#noteHold();
  }

  #settled(at: number, seq: number): void {
    this.#seqs[at] = seq;
    this.#answered++;
    this.#pump();
    const reached = this.#milestones.get(this.#answered);
    this.#milestones.delete(this.#answered);
    reached?.();
    if (this.#answered === this.#options.count) this.#finish();
  }

  #noteHold(): void {
    if (this.inFlight === 0 && this.#sent < this.#options.count) {
      this.#heldSinceMs ??= performance.now();
    } else if (this.#heldSinceMs !== undefined) {
      this.#heldMs += performance.now() - this.#heldSinceMs;
      this.#heldSinceMs = undefined;
    }
  }
}
