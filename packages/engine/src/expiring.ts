// Something that waits, and until when.

export interface Expiring {
  /** Monotonic, ms. Whoever gives up sets it to `-Infinity`: the next look at the clock ends the wait. */
  expiresMs: number;
}
