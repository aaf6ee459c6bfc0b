// Who waits until a document has reached a seq. A document that is waited for stays in memory and tells of
// its changes, as one that is watched does.

import type { Expiring } from '../expiring.js';
import type { Failure } from '../results.js';
import type { StreamedDocument } from './document-source.js';

/**
 * `replaced`: the document was replaced by that of a snapshot, which may be there already. A failure: nothing more comes here,
 * and why.
 */
export type SeqOutcome = 'reached' | 'expired' | 'replaced' | Failure;

interface Waiter extends Expiring {
  readonly seq: number;
  readonly done: (outcome: SeqOutcome) => void;
}

export class SeqWaiters {
  readonly #byDocument = new Map<StreamedDocument, Waiter[]>();

  /** Calls `done` once, when `local` has reached `seq` or cannot in time. */
  add(
    local: StreamedDocument,
    { seq, expiresMs }: { readonly seq: number; readonly expiresMs: number },
    done: (outcome: SeqOutcome) => void,
  ): Expiring {
    const waiter: Waiter = { seq, expiresMs, done };
    const waiters = this.#byDocument.get(local);
    if (waiters === undefined) this.#byDocument.set(local, [waiter]);
    else waiters.push(waiter);
    local.watches++;
    return waiter;
  }

  /** Something was applied to `local`. */
  changed(local: StreamedDocument): void {
    this.#settle(local, 'reached', ({ seq }) => seq <= local.seq);
  }

  replaced(local: StreamedDocument): void {
    this.#settle(local, 'replaced', () => true);
  }

  /** Nothing more comes of any document. */
  fail(why: Failure): void {
    for (const local of this.#byDocument.keys()) this.#settle(local, why, () => true);
  }

  expire(nowMs: number): void {
    for (const local of this.#byDocument.keys()) {
      this.#settle(local, 'expired', ({ expiresMs }) => expiresMs <= nowMs);
    }
  }

  #settle(local: StreamedDocument, outcome: SeqOutcome, is: (waiter: Waiter) => boolean): void {
    const waiters = this.#byDocument.get(local);
    if (waiters === undefined) return;
    const settled = waiters.filter(is);
    if (settled.length === 0) return;
    const rest = waiters.filter((waiter) => !is(waiter));
    if (rest.length === 0) this.#byDocument.delete(local);
    else this.#byDocument.set(local, rest);
    local.watches -= settled.length;
    for (const { done } of settled) done(outcome);
  }
}
