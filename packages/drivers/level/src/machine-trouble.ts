// Errors of files that are not at fault: the machine has no room for more, or does not let them be used. Who is told
// that they are corrupt would throw them away.

import { DeltabaseError } from '@deltabase/base';

/** As the C library and Node.js say it. */
const TROUBLES =
  /no space left|quota exceeded|file too large|read-only file system|permission denied|not permitted|too many open files/i;

/** What to tell of `reason`, for which `path` cannot be used; `undefined`: it may be that its data is damaged. */
export function machineTrouble(
  path: string,
  reason: string,
  cause: unknown,
): DeltabaseError | undefined {
  if (!TROUBLES.test(reason)) return undefined;
  const why =
    `${path} cannot be used now (${reason}): its data is as it was; mend that, and start this ` +
    'node again';
  return new DeltabaseError('UNAVAILABLE', why, { cause });
}
