// A disk that hangs, on everything or on reads alone: what it was asked for ends once it answers again.

/** Calls `run` once a write or a read has taken its time. */
export type DiskDelay = (kind: DiskCall, run: () => void) => void;

export type DiskCall = 'write' | 'read';

export class DiskHang {
  #hanging: readonly DiskCall[] = [];
  #held: Array<() => void> = [];

  /** The same delay, but for what hangs. */
  around(delay: DiskDelay): DiskDelay {
    const later: DiskDelay = (kind, run) =>
      delay(kind, () => {
        if (this.#hanging.includes(kind)) this.#held.push(() => later(kind, run));
        else run();
      });
    return later;
  }

  /** Nothing of these kinds ends until `release`. */
  hold(kinds: readonly DiskCall[]): void {
    this.#hanging = kinds;
  }

  release(): void {
    const held = this.#held;
    this.forget();
    for (const again of held) again();
  }

  /** It hangs no more, and what it was asked for is forgotten: its node has ended. */
  forget(): void {
    this.#hanging = [];
    this.#held = [];
  }
}
