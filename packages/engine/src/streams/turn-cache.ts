// What was made for watchers in one turn, so that those that lag alike get one patch that is made and encoded once.
// Nothing of it is kept beyond the turn.

export class TurnCache<Owner extends object, T> {
  readonly #made = new Map<Owner, Map<number, T>>();

  /** What leads on from `fromSeq` in what belongs to `owner`, made if need be. */
  find(owner: Owner, fromSeq: number, make: () => T): T {
    let ofOwner = this.#made.get(owner);
    if (ofOwner === undefined) {
      ofOwner = new Map();
      this.#made.set(owner, ofOwner);
    }
    if (ofOwner.has(fromSeq)) return ofOwner.get(fromSeq)!;
    const made = make();
    ofOwner.set(fromSeq, made);
    return made;
  }

  /** The turn is over. */
  clear(): void {
    this.#made.clear();
  }
}
