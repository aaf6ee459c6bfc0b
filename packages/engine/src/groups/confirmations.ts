// Linearizable points without log entries: whoever asks is called back once a quorum has confirmed the leader
// after the asking, and this node has applied everything committed until then (thesis §6.4). All that asks in
// one turn shares one round; a round that is lost is begun again.

import type { RawNode, ReadState } from 'raft-ts';

/** `true`: the point is reached. `false`: it was not within the time the asker gave. */
export type Confirmed = (reached: boolean) => void;

interface Request {
  readonly done: Confirmed;
  readonly expiresMs: number;
}

interface Round {
  readonly requests: readonly Request[];
  readonly startedMs: number;
}

interface Waiting {
  readonly index: number;
  readonly requests: readonly Request[];
}

const CONTEXT_BYTES = 4;

export class Confirmations {
  readonly #node: RawNode;
  /** A round without an answer for so long is taken for lost. */
  readonly #retryMs: number;
  #gathering: Request[] = [];
  readonly #rounds = new Map<number, Round>();
  #latestRound = 0;
  /** Confirmed, and waiting for their index to be applied; in order of the indices. */
  #waiting: Waiting[] = [];

  constructor(node: RawNode, retryMs: number) {
    this.#node = node;
    this.#retryMs = retryMs;
  }

  /** Whether nobody waits. */
  get idle(): boolean {
    return this.#gathering.length === 0 && this.#rounds.size === 0 && this.#waiting.length === 0;
  }

  request(expiresMs: number, done: Confirmed): void {
    this.#gathering.push({ done, expiresMs });
  }

  /** Begins a round for all that have asked since the last turn. */
  begin(nowMs: number): void {
    if (this.#gathering.length === 0) return;
    this.#latestRound = (this.#latestRound + 1) >>> 0;
    this.#rounds.set(this.#latestRound, { requests: this.#gathering, startedMs: nowMs });
    this.#gathering = [];
    this.#node.readIndex(encodeRound(this.#latestRound));
  }

  /** The core knows the index of a round. */
  confirmed(state: ReadState, appliedIndex: number): void {
    const number = decodeRound(state.context);
    const round = this.#rounds.get(number);
    if (round === undefined) return; // Begun again meanwhile.
    this.#rounds.delete(number);
    if (state.index <= appliedIndex) finish(round.requests, true);
    else this.#waiting.push({ index: state.index, requests: round.requests });
  }

  /** Everything up to `index` is applied. */
  applied(index: number): void {
    while (this.#waiting.length > 0 && this.#waiting[0]!.index <= index) {
      finish(this.#waiting.shift()!.requests, true);
    }
  }

  /** Begins lost rounds again and gives up what has expired. */
  tick(nowMs: number): void {
    for (const [number, round] of this.#rounds) {
      if (nowMs - round.startedMs < this.#retryMs) continue;
      this.#rounds.delete(number);
      this.#gathering.push(...round.requests);
    }
    this.#gathering = this.#gathering.filter((request) => !expire(request, nowMs));
    this.#waiting = this.#waiting.map(({ index, requests }) => ({
      index,
      requests: requests.filter((request) => !expire(request, nowMs)),
    }));
  }

  /** Nobody is called any more but to be told that the point was not reached. */
  close(): void {
    const rounds = [...this.#rounds.values(), ...this.#waiting];
    this.#rounds.clear();
    this.#waiting = [];
    for (const { requests } of rounds) finish(requests, false);
    finish(this.#gathering.splice(0), false);
  }
}

function finish(requests: readonly Request[], reached: boolean): void {
  for (const { done } of requests) done(reached);
}

function expire(request: Request, nowMs: number): boolean {
  if (request.expiresMs > nowMs) return false;
  request.done(false);
  return true;
}

function encodeRound(round: number): Uint8Array {
  const context = new Uint8Array(CONTEXT_BYTES);
  new DataView(context.buffer).setUint32(0, round);
  return context;
}

function decodeRound(context: Uint8Array): number {
  return new DataView(context.buffer, context.byteOffset).getUint32(0);
}
