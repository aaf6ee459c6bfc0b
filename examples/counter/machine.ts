// A counter that anyone may move, within bounds: the smallest useful machine.

import { JsonObject, message, patch, reject, reply, state } from '@deltabase/guest-assemblyscript';

const LARGEST: f64 = 9007199254740991;

export function init(): void {
  patch.add('', new JsonObject().set('n', 0));
}

export function on_add(): void {
  const by = message.number('/by', 1);
  if (by != Math.floor(by)) reject('`by` must be a whole number');
  const n = state.number('/n') + by;
  if (Math.abs(n) > LARGEST) reject('the counter would leave the range of exact whole numbers');
  patch.replace('/n', n);
  reply(n);
}
