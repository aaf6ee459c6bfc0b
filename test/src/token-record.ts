// What is known of one document that unique tokens are put into, each before all others: who sent what and was told
// what, who read what. In the end nothing that was acknowledged may be lost, nothing be there twice, or though it was
// refused (AckedIsDurable), and there must be one order of everything that explains all that was seen (OneAtATime).

import {
  checkLinearizable,
  type ListInput,
  ListModel,
  type ListOutput,
  type Moments,
  OperationLog,
} from '@deltabase/testkit';

/** What its sender knows of a token. */
export type Fate = 'sent' | 'acknowledged' | 'refused' | 'unknown';

/** A token on its way. Its end is told once. */
export interface SentToken {
  /** It stands in the document, and made this seq. */
  acknowledged(seq: number): void;
  /** It does not, and never will. */
  refused(): void;
  /** Nobody was told. */
  unknown(): void;
}

export interface BegunRead {
  saw(text: string): void;
  failed(): void;
}

export class TokenRecord {
  readonly #key: string;
  readonly #model = new ListModel();
  readonly #log: OperationLog<ListInput, ListOutput>;
  readonly #fates = new Map<string, Fate>();
  #seq = 0;

  /** All records of a run share their moments. */
  constructor(key: string, moments: Moments) {
    this.#key = key;
    this.#log = new OperationLog(moments);
  }

  /** The highest seq that was acknowledged. */
  get seq(): number {
    return this.#seq;
  }

  count(fate: Fate): number {
    let count = 0;
    for (const each of this.#fates.values()) if (each === fate) count++;
    return count;
  }

  send(token: string): SentToken {
    this.#fates.set(token, 'sent');
    const call = this.#log.call({ kind: 'append', token });
    return {
      acknowledged: (seq) => {
        this.#fates.set(token, 'acknowledged');
        this.#seq = Math.max(this.#seq, seq);
        call.answered({ kind: 'appended', length: seq });
      },
      refused: () => {
        this.#fates.set(token, 'refused');
        call.failed();
      },
      // It may take effect at any time, or never.
      unknown: () => void this.#fates.set(token, 'unknown'),
    };
  }

  read(): BegunRead {
    const call = this.#log.call({ kind: 'read' });
    return {
      saw: (text) => {
        const list = this.#model.listOf(tokensIn(text));
        call.answered({ kind: 'list', list });
      },
      failed: () => call.failed(),
    };
  }

  /** Throws unless `text`, read when all is over, keeps every promise, and all else that was seen does. */
  check(text: string): void {
    this.read().saw(text);
    this.#checkTokens(tokensIn(text));
    const verdict = checkLinearizable(this.#model, this.#log.operations);
    if (verdict.kind === 'linearizable') return;
    const why =
      verdict.kind === 'unknown'
        ? `not decided within ${verdict.steps} steps`
        : `nothing explains ${JSON.stringify(verdict.stuck.input)} at ${verdict.stuck.calledAt}`;
    throw new Error(`${this.#key} is not linearizable: ${why}`);
  }

  #checkTokens(found: readonly string[]): void {
    const seen = new Set<string>();
    for (const token of found) {
      if (seen.has(token)) throw new Error(`${token} is in ${this.#key} twice`);
      if (!this.#fates.has(token)) throw new Error(`${token} was never sent to ${this.#key}`);
      seen.add(token);
    }
    for (const [token, fate] of this.#fates) {
      if (fate === 'acknowledged' && !seen.has(token)) {
        throw new Error(`${token} of ${this.#key} was acknowledged and is lost`);
      }
      if (fate === 'refused' && seen.has(token)) {
        throw new Error(`${token} is in ${this.#key}, and its sender was told that it is not`);
      }
    }
  }
}

/** Oldest first: each was put before all others. */
function tokensIn(text: string): string[] {
  return text.split(' ').filter(Boolean).reverse();
}
