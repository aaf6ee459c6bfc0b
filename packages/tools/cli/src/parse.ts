// What options and arguments must be. Commander names the option and says what was given.

import { InvalidArgumentError } from 'commander';

/** A whole number of at least 0. */
export function whole(text: string): number {
  return wholeFrom(0, text);
}

/** A whole number of at least 1. */
export function natural(text: string): number {
  return wholeFrom(1, text);
}

/** A number above 0 and at most `max`. */
export function upTo(max: number): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (value > 0 && value <= max) return value;
    throw new InvalidArgumentError(`Use a number above 0, and at most ${max}.`);
  };
}

/** One more of an option that may be repeated. */
export function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

function wholeFrom(min: number, text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= min) return value;
  throw new InvalidArgumentError(`Use a whole number from ${min} on.`);
}
