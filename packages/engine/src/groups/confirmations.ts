// Linearizable points without log entries: whoever asks is called back once a quorum has confirmed the leader
// after the asking, and this node has applied everything committed until then (thesis §6.4). All that asks in
// one turn shares one round; a round that is lost is begun again.

import { assert } from '@deltabase/base';
import type { RawNode, ReadState } from 'raft-ts';
import type { Expiring } from '../expiring.js';

/** `true`: the point is reached. `false`: it was not within the time the asker gave. */
export type Confirmed = (reached: boolean) => void;

interface Request extends Expiring {
  readonly done: Confirmed;
}

interface Round {
  readonly requests: readonly Request[];
  readonly startedMs: number;
}

interface Waiting extends Round {
  readonly index: number;
}

export interface ConfirmationsOptions {
  readonly node: Pick<RawNode, 'readIndex'>;
  /** A round without an answer for so long is taken for lost. */
  readonly retryMs: number;
  /** 32 bits drawn for this life of the node. */
  readonly life: number;
}

const CONTEXT_BYTES = 8;

export class Confirmations {
  readonly #node: Pick<RawNode, 'readIndex'>;
  readonly #retryMs: number;
  readonly #life: number;
  #gathering: Request[] = [];
  readonly #rounds = new Map<number, Round>();
  #latestRound = 0;
  #freshMs = Number.NEGATIVE_INFINITY;
  /** Confirmed, and waiting for their index to be applied; in order of the indices. */
  #waiting: Waiting[] = [];

  constructor({ node, retryMs, life }: ConfirmationsOptions) {
    this.#node = node;
    this.#retryMs = retryMs;
    this.#life = life;
  }

  /** Whether nobody waits. */
  get idle(): boolean {
    return this.#gathering.length + this.#rounds.size + this.#waiting.length === 0;
  }

  /**
   * When the latest round began of which it is known that all committed before it is applied here; by the
   * monotonic clock, ms.
   */
  get freshMs(): number {
    return this.#freshMs;
  }

  request(expiresMs: number, done: Confirmed): Expiring {
    const request: Request = { done, expiresMs };
    this.#gathering.push(request);
    return request;
  }

  /** Begins a round for all that have asked since the last turn. */
  begin(nowMs: number): void {
    if (this.#gathering.length === 0) return;
    const round = ++this.#latestRound;
    assert(round < 2 ** 32, 'a life of a node has fewer rounds than that');
    this.#rounds.set(round, { requests: this.#gathering, startedMs: nowMs });
    this.#gathering = [];
    this.#node.readIndex(this.#contextOf(round));
  }

  /** The core knows the index of a round. */
  confirmed(state: ReadState, appliedIndex: number): void {
    const number = this.#roundOf(state.context);
    const round = number === undefined ? undefined : this.#rounds.get(number);
    if (number === undefined || round === undefined) return; // Begun again, or of an earlier life.
    this.#rounds.delete(number);
    if (state.index <= appliedIndex) {
      this.#reached(round);
      return;
    }
    const behind = this.#waiting.findIndex(({ index }) => index > state.index);
    const at = behind < 0 ? this.#waiting.length : behind;
    this.#waiting.splice(at, 0, { index: state.index, ...round });
  }

  /** Everything up to `index` is applied. */
  applied(index: number): void {
    while (this.#waiting.length > 0 && this.#waiting[0]!.index <= index) {
      this.#reached(this.#waiting.shift()!);
    }
  }

  /** Another node leads, or none: whoever was asked will not answer. */
  leaderChanged(): void {
    for (const { requests } of this.#rounds.values()) this.#gathering.push(...requests);
    this.#rounds.clear();
  }

  /** Begins lost rounds again and gives up what has expired. */
  tick(nowMs: number): void {
    for (const [number, round] of this.#rounds) {
      if (nowMs - round.startedMs < this.#retryMs) continue;
      this.#rounds.delete(number);
      this.#gathering.push(...round.requests);
    }
    if (this.#gathering.length > 0) this.#gathering = withoutExpired(this.#gathering, nowMs);
    if (this.#waiting.length === 0) return;
    this.#waiting = this.#waiting.map(({ index, startedMs, requests }) => ({
      ...{ index, startedMs },
      requests: withoutExpired(requests, nowMs),
    }));
  }

  /** Tells everybody that the point was not reached. */
  close(): void {
    const rounds = [...this.#rounds.values(), ...this.#waiting];
    this.#rounds.clear();
    this.#waiting = [];
    for (const { requests } of rounds) finish(requests, false);
    finish(this.#gathering.splice(0), false);
  }

  #reached({ startedMs, requests }: Round): void {
    this.#freshMs = Math.max(this.#freshMs, startedMs);
    finish(requests, true);
  }

  /** Rounds of other lives have other contexts: a late answer to one must not count for this (pitfall 10). */
  #contextOf(round: number): Uint8Array {
    const context = new Uint8Array(CONTEXT_BYTES);
    const view = new DataView(context.buffer);
    view.setUint32(0, this.#life);
    view.setUint32(4, round);
    return context;
  }

  #roundOf(context: Uint8Array): number | undefined {
    if (context.length !== CONTEXT_BYTES) return undefined;
    const view = new DataView(context.buffer, context.byteOffset);
    return view.getUint32(0) === this.#life ? view.getUint32(4) : undefined;
  }
}

function finish(requests: readonly Request[], reached: boolean): void {
  for (const { done } of requests) done(reached);
}

/** Those that still have time; the others are told. */
function withoutExpired(requests: readonly Request[], nowMs: number): Request[] {
  const live: Request[] = [];
  for (const request of requests) {
    if (request.expiresMs > nowMs) live.push(request);
    else request.done(false);
  }
  return live;
}
