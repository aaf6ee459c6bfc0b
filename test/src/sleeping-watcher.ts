// A watcher on a real cluster that reads nothing for a while: its call is paused, so that what the node sends stays in the
// connection's window. It folds what it gets, holds each hash against its own, and sees that nothing is missing and
// nothing comes twice (CommittedOnly, StateIsFold).

import assert from 'node:assert/strict';
import {
  applyPatch,
  hashText,
  PieceBuilder,
  parsePatch,
  parsePiece,
  type Value,
} from '@deltabase/delta';
import { Connection } from '@deltabase/grpc-connection';
import { Client } from '@grpc/grpc-js';
import { callWatch, type WatchCall } from './watch-call.js';

/** What is watched, as `WatchRequest` of documents.proto has it. */
export interface SleeperRequest {
  readonly space: string;
  readonly key: string;
  readonly policy?: string;
  readonly perSecond?: number;
  readonly pointers?: readonly string[];
}

interface Step {
  readonly seq: number;
  readonly patch: Uint8Array;
  readonly hash: string;
}

interface Event {
  readonly state?: {
    readonly seq: number;
    readonly piece: Uint8Array;
    readonly last: boolean;
    readonly hash: string;
  } | null;
  readonly delta?: Step | null;
  readonly composed?: (Step & { readonly fromSeq: number }) | null;
  readonly progress?: { readonly seq: number } | null;
}

export class SleepingWatcher {
  readonly #connection = new Connection();
  readonly #client: Client;
  readonly #call: WatchCall<Event>;
  readonly #isOfView: boolean;
  #building = new PieceBuilder();
  #root: Value | undefined;
  #seq = 0;
  /** Since it fell asleep: events but for marks, bytes of responses, the most deltas that one step stood for. */
  events = 0;
  bytes = 0;
  longestStep = 0;
  /** Where it fell asleep. */
  sleptSeq = 0;
  /** What is wrong with what it got. */
  failure: Error | undefined;

  constructor(address: string, request: SleeperRequest) {
    this.#isOfView = (request.pointers ?? []).length > 0;
    // A connection of its own for each, that lasts however busy this is: what one has not read is nobody else's window.
    this.#client = new Client(address, this.#connection, { 'grpc.use_local_subchannel_pool': 1 });
    this.#call = callWatch(this.#client, request, (bytes) => {
      this.bytes += bytes;
    });
    this.#call.on('data', ({ events }) => this.#takeAll(events));
    this.#call.on('error', (error: Error) => {
      this.failure ??= error;
    });
  }

  /** Where it is; 0 before it has a state. */
  get seq(): number {
    return this.#seq;
  }

  /** Of what it holds. */
  get hash(): string {
    return this.#root === undefined ? '' : hashText(this.#root);
  }

  /** Reads nothing from now on. */
  sleep(): void {
    this.#call.pause();
    this.sleptSeq = this.#seq;
    this.events = 0;
    this.bytes = 0;
    this.longestStep = 0;
  }

  wake(): void {
    this.#call.resume();
  }

  close(): void {
    this.#call.removeAllListeners('error');
    this.#call.on('error', () => {});
    this.#call.cancel();
    this.#client.close();
    this.#connection.destroy();
  }

  #takeAll(events: readonly Event[]): void {
    if (this.failure !== undefined) return;
    try {
      for (const event of events) this.#take(event);
    } catch (thrown) {
      this.failure = thrown as Error;
      this.#call.cancel();
    }
  }

  #take({ state, delta, composed, progress }: Event): void {
    if (progress == null) this.events++;
    if (state != null) this.#takePiece(state);
    else if (delta != null) this.#step(delta.seq - 1, delta);
    else if (composed != null) this.#step(composed.fromSeq, composed);
    else if (progress != null) this.#seq = this.#ahead(progress.seq);
  }

  #takePiece({ seq, piece, last, hash }: NonNullable<Event['state']>): void {
    this.#building.add(parsePiece(piece));
    if (!last) return;
    this.#root = this.#building.finish();
    this.#building = new PieceBuilder();
    assert.equal(hashText(this.#root), hash, `the state at ${seq} (StateIsFold)`);
    this.#seq = this.#ahead(seq);
  }

  #step(fromSeq: number, { seq, patch, hash }: Step): void {
    assert.ok(this.#root !== undefined, 'steps come behind a state');
    if (this.#isOfView) assert.ok(fromSeq <= this.#seq, `no gap before ${seq} (CommittedOnly)`);
    else assert.equal(fromSeq, this.#seq, 'no gap and no repeat (CommittedOnly)');
    this.longestStep = Math.max(this.longestStep, seq - this.#seq);
    this.#root = applyPatch(this.#root, parsePatch(patch));
    assert.equal(hashText(this.#root), hash, `at ${seq} (StateIsFold)`);
    this.#seq = this.#ahead(seq);
  }

  #ahead(seq: number): number {
    assert.ok(seq > this.#seq || this.#seq === 0, `${seq} leads on from ${this.#seq}`);
    return seq;
  }
}
