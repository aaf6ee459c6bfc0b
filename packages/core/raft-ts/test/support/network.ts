// The network of the random clusters: it loses, repeats, delays and reorders, and can be cut, one way or both.

import type { Message } from '../../src/message.js';
import type { NodeId } from '../../src/types.js';
import type { Prng } from './prng.js';

/** How long a message may be under way, in slots. */
const SLOTS_MAX = 100;

export class Network {
  readonly #prng: Prng;
  /** Whether what was under way when a partition began is lost too. */
  readonly #cutsAtOnce: boolean;
  /** Messages by the slot in which they arrive. */
  readonly #underWay = new Map<number, Message[]>();
  #drop: number;
  #repeat: number;
  /** How likely a message is to take longer, again and again. */
  #delay: number;
  #isCut: (from: NodeId, to: NodeId) => boolean = () => false;

  constructor(prng: Prng) {
    this.#prng = prng;
    this.#drop = prng.pick([0, 0.02, 0.2]);
    this.#repeat = prng.pick([0, 0.1, 0.3]);
    this.#delay = prng.pick([0.1, 0.4, 0.8]);
    this.#cutsAtOnce = prng.chance(0.5);
  }

  /** Takes a message at `slot`. Returns false if it is lost already. */
  send(message: Message, slot: number): boolean {
    if (!this.#cutsAtOnce && this.#isCut(message.from, message.to)) return false;
    const isKept = !this.#prng.chance(this.#drop);
    if (isKept) this.#post(message, slot);
    if (this.#prng.chance(this.#repeat)) this.#post(message, slot);
    return isKept;
  }

  /** What arrives at `slot`, whatever became of its receiver. */
  due(slot: number): readonly Message[] {
    const due = this.#underWay.get(slot) ?? [];
    this.#underWay.delete(slot);
    return due;
  }

  /** Whether a message that would arrive now is lost. */
  losesArriving({ from, to }: Message): boolean {
    return this.#cutsAtOnce && this.#isCut(from, to);
  }

  /** Cuts `island` off: what leaves it is lost, what would reach it, or both. */
  cut(island: readonly NodeId[], ways: 'both' | 'in' | 'out'): void {
    this.#isCut = (from, to) => {
      if (island.includes(from)) return !island.includes(to) && ways !== 'in';
      return island.includes(to) && ways !== 'out';
    };
  }

  /** Ends a partition. */
  mend(): void {
    this.#isCut = () => false;
  }

  /** No more faults. */
  heal(): void {
    this.mend();
    this.#drop = 0;
    this.#repeat = 0;
    this.#delay = 0.2;
  }

  #post(message: Message, sentAt: number): void {
    let slot = sentAt + 1;
    while (this.#prng.chance(this.#delay) && slot < sentAt + SLOTS_MAX) slot++;
    const due = this.#underWay.get(slot) ?? [];
    due.splice(this.#prng.below(due.length + 1), 0, message);
    this.#underWay.set(slot, due);
  }
}
