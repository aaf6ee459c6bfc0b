// Who gets the answers: the promise of one send, or of many.

import type { DeltabaseError } from '@deltabase/base';
import type { Json } from '@deltabase/delta';
import type { Outgoing, Receiver } from './outgoing.js';

/** A message took effect, or had none to take. */
export interface SendResult<Reply = Json> {
  /** The document's seq after it. */
  readonly seq: number;
  /** What the handler replied; `undefined`: nothing. */
  readonly reply: Reply | undefined;
}

/** How one of many messages ended. */
export type SendOutcome<Reply = Json> =
  | ({ readonly kind: 'accepted' } & SendResult<Reply>)
  | { readonly kind: 'failed'; readonly error: DeltabaseError };

/** Settles the promise of one send. */
export class OneReceiver implements Receiver {
  readonly #resolve: (result: SendResult) => void;
  readonly #reject: (error: DeltabaseError) => void;

  constructor(resolve: (result: SendResult) => void, reject: (error: DeltabaseError) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
  }

  accepted(_message: Outgoing, seq: number, reply: string | undefined): void {
    this.#resolve({ seq, reply: reply === undefined ? undefined : JSON.parse(reply) });
  }

  failed(_message: Outgoing, error: DeltabaseError): void {
    this.#reject(error);
  }
}

/** Settles one promise with the outcomes of many messages; a message's tag is its place among them. */
export class ManyReceiver implements Receiver {
  readonly #outcomes: SendOutcome[];
  readonly #resolve: (outcomes: SendOutcome[]) => void;
  #open: number;

  constructor(count: number, resolve: (outcomes: SendOutcome[]) => void) {
    this.#outcomes = new Array(count);
    this.#resolve = resolve;
    this.#open = count;
    if (count === 0) resolve([]);
  }

  accepted(message: Outgoing, seq: number, reply: string | undefined): void {
    const value = reply === undefined ? undefined : JSON.parse(reply);
    this.#put(message.tag, { kind: 'accepted', seq, reply: value });
  }

  failed(message: Outgoing, error: DeltabaseError): void {
    this.fail(message.tag, error);
  }

  /** The message at `tag` was never sent. */
  fail(tag: number, error: DeltabaseError): void {
    this.#put(tag, { kind: 'failed', error });
  }

  #put(tag: number, outcome: SendOutcome): void {
    this.#outcomes[tag] = outcome;
    this.#open--;
    if (this.#open === 0) this.#resolve(this.#outcomes);
  }
}
