// The model of a list that unique tokens are appended to: every append that is lost, doubled or out of order shows
// in what is read later. Equal lists are one object, so that comparing them costs nothing.

import type { Model } from './linearizability.js';

/** A list: its last token behind a shorter list. Made by `ListModel.listOf` only. */
export interface TokenList {
  readonly id: number;
  readonly length: number;
  /** Lists with one token more. */
  readonly longer: Map<string, TokenList>;
}

export type ListInput =
  | { readonly kind: 'append'; readonly token: string }
  | { readonly kind: 'read' }
  /** Shows how long the list is, and no more. */
  | { readonly kind: 'count' };

export type ListOutput =
  /** How long the list was once the token stood in it. */
  | { readonly kind: 'appended'; readonly length: number }
  | { readonly kind: 'list'; readonly list: TokenList }
  | { readonly kind: 'count'; readonly length: number };

export class ListModel implements Model<TokenList, ListInput, ListOutput> {
  readonly start: TokenList = { id: 0, length: 0, longer: new Map() };
  #lists = 1;
  /** Lists that lead to the one that was there in the end; `undefined`: any may have been. */
  #possible: Set<TokenList> | undefined;

  /** The list of `tokens`, the same for the same tokens. */
  listOf(tokens: Iterable<string>): TokenList {
    let list = this.start;
    for (const token of tokens) list = this.#append(list, token);
    return list;
  }

  /**
   * The list is known to have been this in the end. Lists only grow, so that no other token can have come in between:
   * without that the search would try every append that nobody knows the end of everywhere.
   */
  endsWith(tokens: Iterable<string>): void {
    let list = this.start;
    this.#possible = new Set([list]);
    for (const token of tokens) {
      list = this.#append(list, token);
      this.#possible.add(list);
    }
  }

  step(list: TokenList, input: ListInput, output: ListOutput | undefined): TokenList | undefined {
    if (input.kind === 'append') {
      const isPossible = output?.kind !== 'appended' || output.length === list.length + 1;
      const longer = isPossible ? this.#append(list, input.token) : undefined;
      return longer && (this.#possible?.has(longer) ?? true) ? longer : undefined;
    }
    if (output?.kind === 'list' && output.list !== list) return undefined;
    if (output?.kind === 'count' && output.length !== list.length) return undefined;
    return list;
  }

  changes({ kind }: ListInput): boolean {
    return kind === 'append';
  }

  key(list: TokenList): number {
    return list.id;
  }

  #append(list: TokenList, token: string): TokenList {
    let longer = list.longer.get(token);
    if (longer === undefined) {
      longer = { id: this.#lists++, length: list.length + 1, longer: new Map() };
      list.longer.set(token, longer);
    }
    return longer;
  }
}
