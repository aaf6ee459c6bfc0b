// What is watched, in either system: one value, written again and again. Its version counts the writes from 1 on: with
// each write it is one more, so whoever gets every version in order has missed nothing. The value names its write: writes
// that are under way together may take effect in another order.

/** The value in one of the systems, and the processes that keep it. */
export interface Watched {
  readonly pids: readonly number[];
  readonly place: Place;
  /** Resolves once it is durable. */
  write(value: string): Promise<void>;
  read(): Promise<{ readonly version: number; readonly value: string }>;
}

/** Where watchers find it. */
export interface Place {
  readonly system: System;
  readonly addresses: readonly string[];
  readonly space: string;
  readonly key: string;
}

export type System = 'deltabase' | 'etcd';

/** Who hears of what one watch brings. */
export interface WatchListener {
  /** Every version behind `version` will come; 0: whatever is written from now on. */
  began(version: number): void;
  /** `event` holds the value. */
  received(version: number, event: Uint8Array): void;
  failed(why: Error): void;
}

/** The value of the nth write: its number, and a fill. */
export function nthValue(n: number, fill: string): string {
  return `${n} ${fill}`.slice(0, fill.length);
}

/** The number of the write that made a value. */
export function writeOf(value: string): number {
  return Number(value.slice(0, value.indexOf(' ')));
}
