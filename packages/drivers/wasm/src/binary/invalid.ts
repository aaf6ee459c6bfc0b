// The one way in which reading a module fails: MODULE_INVALID, with the offset of the byte at fault.

import { DeltabaseError } from '@deltabase/base';

/** An error that says why a module cannot be deployed; `offset` counts bytes from its start. */
export function invalid(message: string, offset?: number): DeltabaseError {
  const where = offset === undefined ? '' : ` (byte ${offset})`;
  return new DeltabaseError('MODULE_INVALID', `${message}${where}`);
}

/** A name out of a module, quoted and cut, so that a message stays readable whatever it holds. */
export function quoteName(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}...` : name);
}
