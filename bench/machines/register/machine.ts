// One value, which each message replaces.

import { JsonObject, message, patch } from '@deltabase/guest-assemblyscript';

export function init(): void {
  patch.add('', new JsonObject().set('value', ''));
}

/** { "value" }: a text. */
export function on_put(): void {
  patch.replace('/value', message.text('/value'));
}
