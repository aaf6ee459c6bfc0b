// The answer to the sender: a reply, or a rejection that undoes the message.

import * as host from './host';
import { textOf } from './json';
import { encodeText, textAt, textLength } from './utf8';

/** Sets the reply: a number, a bool, a string or a Json. Of several the last counts. */
export function reply<T>(value: T): void {
  if (isString<T>()) {
    encodeText(changetype<string>(value));
    host.replyText(textAt, textLength);
  } else if ((isInteger<T>() && !isBoolean<T>()) || isFloat<T>()) {
    host.replyNumber(<f64>value);
  } else {
    encodeText(textOf<T>(value));
    host.reply(textAt, textLength);
  }
}

/** Refuses the message for `reason`. Nothing of it takes effect; does not return. */
export function reject(reason: string): void {
  encodeText(reason);
  host.reject(textAt, textLength);
  unreachable();
}
