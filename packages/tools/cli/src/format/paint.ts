// Colors, if they are wanted: on a terminal that can show them, unless NO_COLOR (no-color.org) or --no-color says
// no; elsewhere if FORCE_COLOR says yes.

import pc from 'picocolors';
import type { Io } from '../io.js';

export type Paint = Pick<
  ReturnType<typeof pc.createColors>,
  'bold' | 'dim' | 'cyan' | 'red' | 'green' | 'yellow'
>;

/** How to color what `io` shows; `wanted` is what the flag says. */
export function paintFor(io: Pick<Io, 'env' | 'isTerminal'>, wanted: boolean): Paint {
  const { NO_COLOR: no, FORCE_COLOR: force, TERM: terminal } = io.env;
  const isForced = force !== undefined && force !== '' && force !== '0';
  const isRefused = !wanted || (no !== undefined && no !== '');
  return pc.createColors(!isRefused && (isForced || (io.isTerminal && terminal !== 'dumb')));
}
