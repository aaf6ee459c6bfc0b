// An object with as many members as wanted, and one message that replaces one of them.

import { JsonObject, message, patch, reply, state } from '@deltabase/guest-assemblyscript';

export function init(): void {
  patch.add('', new JsonObject());
}

/** { "from", "count" }: adds members named by the numbers from `from` on. */
export function on_fill(): void {
  const from = <i32>message.number('/from');
  const count = <i32>message.number('/count');
  for (let n = from; n < from + count; n++) patch.add('/' + n.toString().padStart(7, '0'), n);
}

/** { "key", "value" }: replaces a member; the reply is what it was. */
export function on_set(): void {
  const pointer = '/' + message.text('/key');
  reply(state.number(pointer));
  patch.replace(pointer, message.number('/value'));
}
