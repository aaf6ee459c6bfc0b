// Times, sizes and JSON as people read them.

import { printable } from './printable.js';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** The last moment that a Date can say. */
const MOMENT_MAX = 8.64e15;
const SIZES = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** A moment, UTC to the millisecond; nothing if it is not known, or none. */
export function moment(ms: number): string {
  if (!(ms > 0 && ms <= MOMENT_MAX)) return '-';
  return new Date(ms).toISOString().replace('T', ' ');
}

/** A duration by its two largest units: `3d 4h`, `12m 5s`, `1.2s`. */
export function duration(ms: number): string {
  if (ms >= DAY_MS) return `${Math.floor(ms / DAY_MS)}d ${Math.floor((ms % DAY_MS) / HOUR_MS)}h`;
  if (ms >= HOUR_MS) {
    return `${Math.floor(ms / HOUR_MS)}h ${Math.floor((ms % HOUR_MS) / MINUTE_MS)}m`;
  }
  if (ms >= MINUTE_MS) {
    return `${Math.floor(ms / MINUTE_MS)}m ${Math.floor((ms % MINUTE_MS) / SECOND_MS)}s`;
  }
  return `${(ms / SECOND_MS).toFixed(1)}s`;
}

/** A size with its unit. */
export function bytes(count: number): string {
  let unit = 0;
  let left = count;
  while (left >= 1024 && unit < SIZES.length - 1) {
    left /= 1024;
    unit++;
  }
  return `${unit === 0 || left >= 100 ? Math.round(left) : left.toFixed(1)} ${SIZES[unit]}`;
}

/** A number with its thousands apart. */
export function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** A rate in a second: whole unless it is small. */
export function rate(perSecond: number): string {
  return perSecond < 9.95 ? perSecond.toFixed(1) : count(Math.round(perSecond));
}

/** One line of JSON, cut where it is long. */
export function shortJson(value: unknown, charactersMax: number): string {
  const text = JSON.stringify(value);
  if (text.length <= charactersMax) return printable(text);
  const cut = text.slice(0, charactersMax - 3);
  // Not in the middle of a surrogate pair.
  return `${printable(cut.isWellFormed() ? cut : cut.slice(0, -1))}...`;
}
