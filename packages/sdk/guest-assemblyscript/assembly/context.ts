// Who sends the message, to which document.

import * as host from './host';
import { takeText } from './utf8';

export namespace context {
  /** The space of the document. */
  export function space(): string {
    return takeText(host.context(0));
  }

  /** The document's key. */
  export function key(): string {
    return takeText(host.context(1));
  }

  /** The channel that the message came on. */
  export function channel(): string {
    return takeText(host.context(2));
  }

  /** Who sends it, as authenticated; empty where nobody is. */
  export function principal(): string {
    return takeText(host.context(3));
  }

  /** The message's id; empty where the sender gave none. */
  export function messageId(): string {
    return takeText(host.context(4));
  }
}
