// What `throw`, failed assertions and the runtime's own checks end in: a line in the message's log that
// says why and where, then a trap. The message fails with TRAPPED. asconfig.json installs it.

import { log } from './log';

/** Logs the reason and traps. */
export function abort(
  reason: string | null = null,
  file: string | null = null,
  line: u32 = 0,
  column: u32 = 0,
): void {
  let text = reason === null ? 'aborted' : reason;
  if (file !== null) text += ' at ' + file + ':' + line.toString() + ':' + column.toString();
  log.error(text);
  unreachable();
}
