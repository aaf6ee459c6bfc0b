// Upstreams that do what a test says, and keep what they were asked for.

import type { DocumentName } from '../../src/documents/document-name.js';
import type { TailDelta } from '../../src/documents/tail.js';
import { storedDelta } from '../../src/documents/tail.js';
import type {
  DeltasRange,
  Upstream,
  UpstreamListener,
  Upstreams,
} from '../../src/replica/replica-ports.js';
import { type Failure, failure } from '../../src/results.js';
import type { HeadSeqs } from '../../src/streams/heads.js';
import { statePieces } from '../../src/streams/state-pieces.js';
import type { Step } from './history.js';

export interface AskedWatch {
  readonly id: number;
  readonly key: string;
  readonly afterSeq: number | undefined;
}

export interface AskedHeads {
  readonly number: number;
  readonly ids: readonly number[];
}

export interface AskedDeltas extends DeltasRange {
  readonly key: string;
  readonly done: (deltas: readonly TailDelta[] | Failure) => void;
}

/** One connection as the other end sees it. */
export class ScriptedUpstream implements Upstream {
  readonly address: string;
  readonly watches: AskedWatch[] = [];
  readonly unwatched: number[] = [];
  readonly questions: AskedHeads[] = [];
  readonly reads: AskedDeltas[] = [];
  isClosed = false;
  readonly #listener: UpstreamListener;

  constructor(address: string, listener: UpstreamListener) {
    this.address = address;
    this.#listener = listener;
  }

  watch(id: number, { key }: DocumentName, afterSeq: number | undefined): void {
    this.watches.push({ id, key, afterSeq });
  }

  unwatch(id: number): void {
    this.unwatched.push(id);
  }

  askHeads(number: number, ids: readonly number[]): void {
    this.questions.push({ number, ids });
  }

  readDeltas(
    { key }: DocumentName,
    range: DeltasRange,
    done: (deltas: readonly TailDelta[] | Failure) => void,
  ): void {
    this.reads.push({ key, ...range, done });
  }

  close(): void {
    this.isClosed = true;
  }

  // What the other end says.

  origin(via: readonly string[] = [], live = true): void {
    this.#listener.origin(via, live);
  }

  /** The whole state that a step makes, in pieces of at most about so many bytes. */
  state(id: number, { record: { seq }, root }: Step, pieceBytesMax = 1000): void {
    for (const { piece, hash } of statePieces({ seq, root }, pieceBytesMax)) {
      this.#listener.state(id, seq, piece, hash);
    }
  }

  /** A state that may be any part of one, under any hash. */
  piece(id: number, seq: number, piece: Uint8Array, hash?: string): void {
    this.#listener.state(id, seq, piece, hash);
  }

  delta(id: number, { record, bytes }: Step): void {
    this.#listener.delta(id, storedDelta(record.seq, bytes));
  }

  ended(id: number, why: Failure): void {
    this.#listener.ended(id, why);
  }

  heads(number: number, seqs: HeadSeqs | Failure): void {
    this.#listener.heads(number, seqs);
  }

  closed(why = failure('UNAVAILABLE', 'the connection broke')): void {
    this.#listener.closed(why);
  }
}

export class ScriptedUpstreams implements Upstreams {
  /** Every connection there was, the latest one last. */
  readonly all: ScriptedUpstream[] = [];

  connect(address: string, listener: UpstreamListener): Upstream {
    const upstream = new ScriptedUpstream(address, listener);
    this.all.push(upstream);
    return upstream;
  }

  attach(): never {
    throw new Error('a replica without an address offers itself to nobody');
  }

  get latest(): ScriptedUpstream {
    return this.all.at(-1)!;
  }
}
