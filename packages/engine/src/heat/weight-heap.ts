// Numbered slots by weight, the least at hand: a binary heap in arrays of a fixed size. Weights only grow, or
// shrink all by one factor, so that a slot is sifted one way only; one that is heavy already hardly moves.

import { assert } from '@deltabase/base';

export class WeightHeap {
  readonly #weights: Float64Array;
  /** The slot at each place of the heap, and the place of each slot that is in it. */
  readonly #slots: Int32Array;
  readonly #places: Int32Array;
  #size = 0;

  /** For slots from 0 to `capacity` - 1. */
  constructor(capacity: number) {
    this.#weights = new Float64Array(capacity);
    this.#slots = new Int32Array(capacity);
    this.#places = new Int32Array(capacity);
  }

  get size(): number {
    return this.#size;
  }

  /** A slot that none is lighter than; there is one at least. */
  get least(): number {
    assert(this.#size > 0, 'an empty heap has no least slot');
    return this.#slots[0]!;
  }

  weightOf(slot: number): number {
    return this.#weights[slot]!;
  }

  /** Puts a slot in that is not in it. */
  add(slot: number, weight: number): void {
    assert(this.#size < this.#slots.length, 'a heap has a place for each of its slots');
    this.#weights[slot] = weight;
    this.#up(this.#size++, slot);
  }

  /** Makes a slot that is in it heavier, by 0 or more. */
  grow(slot: number, by: number): void {
    this.#weights[slot] = this.#weights[slot]! + by;
    this.#down(this.#places[slot]!, slot);
  }

  /** Takes the least slot out. */
  removeLeast(): number {
    const { least } = this;
    const last = this.#slots[--this.#size]!;
    if (this.#size > 0) this.#down(0, last);
    return least;
  }

  /** Makes all of them lighter, or heavier, by a factor of at least 0. */
  scale(factor: number): void {
    for (let place = 0; place < this.#size; place++) {
      const slot = this.#slots[place]!;
      this.#weights[slot] = this.#weights[slot]! * factor;
    }
  }

  /** Puts `slot` where it belongs, at `place` or above it. */
  #up(place: number, slot: number): void {
    const weight = this.#weights[slot]!;
    let at = place;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = this.#slots[parent]!;
      if (this.#weights[above]! <= weight) break;
      this.#put(at, above);
      at = parent;
    }
    this.#put(at, slot);
  }

  /** Puts `slot` where it belongs, at `place` or below it. */
  #down(place: number, slot: number): void {
    const weight = this.#weights[slot]!;
    let at = place;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#size) break;
      const right = child + 1;
      if (right < this.#size && this.#weightAt(right) < this.#weightAt(child)) child = right;
      const below = this.#slots[child]!;
      if (this.#weights[below]! >= weight) break;
      this.#put(at, below);
      at = child;
    }
    this.#put(at, slot);
  }

  #weightAt(place: number): number {
    return this.#weights[this.#slots[place]!]!;
  }

  #put(place: number, slot: number): void {
    this.#slots[place] = slot;
    this.#places[slot] = place;
  }
}
