// A number made of all that happens in a run: equal runs have equal ones.

import type { Message } from '../../src/message.js';
import { mix } from './machine.js';

export class Digest {
  #value = 0;

  get value(): number {
    return this.#value;
  }

  mix(a: number, b: number): void {
    this.#value = mix(mix(this.#value, a), b);
  }

  message(message: Message): void {
    this.mix(message.type.length * 64 + message.from * 8 + message.to, message.term);
    if ('index' in message) this.mix(message.index, 1);
    if ('entries' in message) this.mix(message.entries.length, 2);
    if ('match' in message) this.mix(message.commit, message.match);
    if ('readRound' in message) this.mix(message.readRound, 3);
  }
}
