// What a watcher sees of a list of tokens through pointers to some of its positions. The list at seq n has n tokens and
// never loses one, so what the view must hold at any seq is known: a change that is hidden, late or early shows.

import assert from 'node:assert/strict';
import { count, filterOf, getAt, hashText, isObject, type Value, viewOf } from '@deltabase/delta';
import type { TokenHistory } from '../check/token-history.js';

export class ViewSight {
  readonly pointers: readonly string[];
  readonly #positions: readonly number[];
  readonly #history: TokenHistory;
  readonly #name: string;

  constructor(name: string, positions: readonly number[], history: TokenHistory) {
    this.#name = name;
    this.#positions = positions;
    this.#history = history;
    this.pointers = positions.map((position) => `/${position}`);
  }

  /** The view was told to be this at `seq`. */
  look(seq: number, view: Value): void {
    const there = this.#positions.filter((position) => position < seq);
    const say = (what: string): string => `${this.#name}: at ${seq} ${what}`;
    assert.ok(isObject(view) && count(view) === there.length, say(`of ${there} not all is there`));
    for (const position of there) {
      const element = getAt(view, `/${position}`);
      assert.ok(element !== undefined, say(`nothing is at ${position}`));
      this.#history.element(position + 1, element);
    }
  }

  /** One step led to `seq` and there was one for each change: it is what changed. */
  lookAtStep(fromSeq: number, seq: number): void {
    const changes = this.#positions.filter((at) => at + 1 > fromSeq && at + 1 <= seq);
    assert.deepEqual(changes, [seq - 1], `${this.#name}: the step from ${fromSeq} to ${seq}`);
  }

  /** In the end: the view is that of the whole list. */
  end(view: Value, list: Value): void {
    const expected = viewOf(list, filterOf(this.pointers));
    assert.equal(hashText(view), hashText(expected), `${this.#name}: the view in the end`);
  }
}
