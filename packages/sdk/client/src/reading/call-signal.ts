// The end of one call: it has a reason of its own to end, and the caller's. AbortSignal.any would stay with a caller's signal
// for as long as that lives; this lets it go.

export class CallSignal {
  readonly #caller: AbortSignal | undefined;
  readonly #own = new AbortController();
  readonly #giveUp = (): void => this.#own.abort(this.#caller?.reason);

  constructor(caller: AbortSignal | undefined) {
    this.#caller = caller;
    caller?.addEventListener('abort', this.#giveUp, { once: true });
    if (caller?.aborted) this.#giveUp();
  }

  /** Aborted by whichever comes first. */
  get signal(): AbortSignal {
    return this.#own.signal;
  }

  abort(): void {
    this.#own.abort();
  }

  /** The call is over: its caller's signal means nothing to it any more. */
  release(): void {
    this.#caller?.removeEventListener('abort', this.#giveUp);
  }
}
