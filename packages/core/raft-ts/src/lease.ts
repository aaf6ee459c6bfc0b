// Reads without a round trip (thesis §6.4.1). A follower that hears of its leader refuses to vote for an
// election timeout; so once a quorum has answered a round of heartbeats, nobody else can be elected for that
// long after the round began. Ticks are coarse at both ends, which costs one of them each. Valid only while
// all nodes tick at the same rate, within one configuration, and unless an election is asked for on purpose
// (LeaseEndsFirst).

import { assert } from './assert.js';

interface Round {
  readonly round: number;
  /** When it began, in ticks. */
  readonly tick: number;
}

export class Lease {
  readonly #electionTicks: number;
  /** Rounds that no quorum has answered yet, in order; of those of one tick the first. */
  #rounds: Round[] = [];
  /** The lease ends before this tick. */
  #end = 0;
  #givenUp = false;

  constructor(electionTicks: number) {
    this.#electionTicks = electionTicks;
  }

  /** Whether nobody else leads at `tick`. */
  holds(tick: number): boolean {
    return tick < this.#end && !this.#givenUp;
  }

  /** A round of heartbeats begins. */
  began(round: number, tick: number): void {
    const latest = this.#rounds.at(-1);
    assert(latest === undefined || latest.round < round, 'rounds are numbered upwards');
    if (latest?.tick === tick) return;
    // The oldest round could not give a lease any more.
    if (this.#rounds.length >= this.#electionTicks) this.#rounds.shift();
    this.#rounds.push({ round, tick });
  }

  /** A quorum has answered all rounds up to `round`. */
  confirmed(round: number): void {
    while (this.#rounds.length > 0 && this.#rounds[0]!.round <= round) {
      this.#end = this.#rounds.shift()!.tick + this.#electionTicks - 1;
    }
  }

  /** The configuration has changed: what another quorum answered counts no more. */
  drop(): void {
    this.#rounds = [];
    this.#end = 0;
  }

  /** Somebody was asked to campaign: refusals to vote do not bind it, for the rest of the term (thesis §3.10). */
  giveUp(): void {
    this.#givenUp = true;
  }

  /** A new term begins. */
  reset(): void {
    this.drop();
    this.#givenUp = false;
  }
}
