// One of many watchers of a document on a real cluster: it folds nothing itself, but holds each delta that it gets against what
// the first watcher got at that seq, and sees that it misses none and gets none twice (CommittedOnly). When its process
// ends it, or dies, it goes on at another one, behind the seq that it has.

import assert from 'node:assert/strict';
import type { Prng } from '@deltabase/base';
import { Connection } from '@deltabase/grpc-connection';
import { Client } from '@grpc/grpc-js';
import { callWatch, type WatchCall } from './watch-call.js';

/** What all watchers of a document have in common. */
export interface FanOut {
  readonly space: string;
  readonly key: string;
  /** Where watchers may go, host:port; one that is gone is found out. */
  addresses(): readonly string[];
  /** Deltas by seq, as they were first seen: hash and patch. */
  readonly seen: Map<number, string>;
  readonly links: Links;
  readonly random: Prng;
}

const KEEPALIVE_MS = 2000;
const AGAIN_MS = 100;

/** One connection to each process, for all watchers. */
export class Links {
  readonly #byAddress = new Map<string, { client: Client; connection: Connection }>();

  to(address: string): Client {
    const known = this.#byAddress.get(address);
    if (known !== undefined) return known.client;
    const connection = new Connection();
    const client = new Client(address, connection, {
      'grpc.keepalive_time_ms': KEEPALIVE_MS,
      'grpc.keepalive_timeout_ms': KEEPALIVE_MS,
      'grpc.initial_reconnect_backoff_ms': AGAIN_MS,
      'grpc.max_reconnect_backoff_ms': 5 * AGAIN_MS,
      'grpc.use_local_subchannel_pool': 1,
    });
    this.#byAddress.set(address, { client, connection });
    return client;
  }

  close(): void {
    for (const { client, connection } of this.#byAddress.values()) {
      client.close();
      connection.destroy();
    }
  }
}

interface Event {
  readonly state: { readonly seq: number; readonly last: boolean; readonly hash: string } | null;
  readonly delta: {
    readonly seq: number;
    readonly hash: string;
    readonly patch: Uint8Array;
  } | null;
}

export class FanOutWatcher {
  readonly #of: FanOut;
  #call: WatchCall<Event> | undefined;
  #isClosed = false;
  #seq: number | undefined;
  #hash = '';
  /** Deltas that it got, and times that it went to another process. */
  deltas = 0;
  moves = -1;
  /** What is wrong with what it got. */
  failure: Error | undefined;

  constructor(of: FanOut) {
    this.#of = of;
    this.#begin();
  }

  /** Where it is; 0 before it has a state. */
  get seq(): number {
    return this.#seq ?? 0;
  }

  get hash(): string {
    return this.#hash;
  }

  close(): void {
    this.#isClosed = true;
    this.#call?.cancel();
  }

  #begin(): void {
    const { space, key, addresses, links, random } = this.#of;
    this.moves++;
    const all = addresses();
    const address = all[random.below(all.length)]!;
    const behind = this.#seq === undefined ? {} : { afterSeq: this.#seq };
    const call = callWatch<Event>(links.to(address), { space, key, ...behind });
    this.#call = call;
    call.on('data', ({ events }) => {
      if (this.failure === undefined) this.#take(events);
    });
    call.on('error', () => {});
    call.on('status', () => {
      if (!this.#isClosed) setTimeout(() => !this.#isClosed && this.#begin(), AGAIN_MS);
    });
  }

  #take(events: readonly Event[]): void {
    try {
      for (const { state, delta } of events) {
        if (state?.last) this.#takeState(state);
        else if (delta !== null) this.#takeDelta(delta);
      }
    } catch (thrown) {
      this.failure = thrown as Error;
      this.#call?.cancel();
    }
  }

  #takeState({ seq, hash }: NonNullable<Event['state']>): void {
    assert.equal(this.#seq, undefined, 'a watch that goes on behind a seq gets no state');
    this.#seq = seq;
    this.#hash = hash;
  }

  #takeDelta({ seq, hash, patch }: NonNullable<Event['delta']>): void {
    assert.equal(seq, this.seq + 1, 'no gap and no repeat (CommittedOnly)');
    const what = `${hash} ${Buffer.from(patch).toString('latin1')}`;
    const before = this.#of.seen.get(seq);
    if (before === undefined) this.#of.seen.set(seq, what);
    else assert.equal(what, before, 'all copies give the same deltas (StateIsFold)');
    this.#seq = seq;
    this.#hash = hash;
    this.deltas++;
  }
}
