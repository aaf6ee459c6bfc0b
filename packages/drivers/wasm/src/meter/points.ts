// Where a function is charged. Code is cut into stretches that control enters only at their beginning: at
// the function's entry, a loop's head, behind a conditional branch, at the arms of an if, where branches
// meet. A *point* at the beginning of a stretch charges for it. Stretches that cost little have no charge
// of their own: they are paid by the point before them, through which every way to them leads: that before
// the branch, or that before the block whose end it is. Entry and loop heads always charge, so the work
// between two charges is bounded by the length of the code. Invariant (no work without charge): whatever
// way control reaches an instruction, it was paid for since it last was there.

import { STRETCH_FUEL_MIN } from './costs.js';

/** The points and loops of one function, as its code is read from beginning to end. */
export class Points {
  /** What each point charges; 0: it was given up. */
  readonly fuel: number[] = [];
  /** The innermost loop around each point; -1: none. */
  readonly loop: number[] = [];
  /** The loop around each loop; -1: none. */
  readonly loopParent: number[] = [];
  /** Whether anything in a loop may change the fuel global. */
  readonly loopCalls: boolean[] = [];
  /** The point that pays for each optional point if that is given up. */
  readonly #parent: number[] = [];
  /** Optional points of the open blocks, innermost last. */
  readonly #undecided: number[] = [];
  #current = -1;
  #currentLoop = -1;

  /** The point that pays for the next instruction. */
  get current(): number {
    return this.#current;
  }

  /** How many optional points are undecided. */
  get undecided(): number {
    return this.#undecided.length;
  }

  /** Begins the function or a loop's body, with a point that stays. */
  begin(): number {
    return this.#add(-1);
  }

  /** A stretch begins that may be worth a charge of its own. */
  beginOptional(): number {
    const point = this.#add(this.#current);
    this.#undecided.push(point);
    return point;
  }

  /** The next instructions are paid by `point`, which every way to them passes. */
  resume(point: number): void {
    this.#current = point;
  }

  /** Gives up the optional points from number `from` on that gathered little: no more can come. */
  decide(from: number): void {
    for (let i = this.#undecided.length - 1; i >= from; i--) {
      const point = this.#undecided[i]!;
      const fuel = this.fuel[point]!;
      if (fuel >= STRETCH_FUEL_MIN) continue;
      this.fuel[this.#parent[point]!]! += fuel;
      this.fuel[point] = 0;
    }
    this.#undecided.length = from;
  }

  /** Adds to what the current point charges. */
  spend(fuel: number): void {
    this.fuel[this.#current]! += fuel;
  }

  /** Enters another loop; its number. A point must begin its body. */
  enterLoop(): number {
    this.loopParent.push(this.#currentLoop);
    this.loopCalls.push(false);
    this.#currentLoop = this.loopParent.length - 1;
    return this.#currentLoop;
  }

  leaveLoop(): void {
    this.#currentLoop = this.loopParent[this.#currentLoop]!;
  }

  /** Something here changes the fuel global: the loops around cannot keep fuel in a local. */
  fuelMoves(): void {
    for (let i = this.#currentLoop; i >= 0 && !this.loopCalls[i]; i = this.loopParent[i]!) {
      this.loopCalls[i] = true;
    }
  }

  #add(parent: number): number {
    this.#current = this.fuel.length;
    this.fuel.push(0);
    this.loop.push(this.#currentLoop);
    this.#parent.push(parent);
    return this.#current;
  }
}
