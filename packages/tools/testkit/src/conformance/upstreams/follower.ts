// A follower that keeps what it is told on its connection.

import type {
  Failure,
  HeadSeqs,
  TailDelta,
  Upstream,
  UpstreamListener,
  Upstreams,
} from '@deltabase/engine';
import { OutsideCalls } from '../outside-calls.js';
import { docOf } from './records.js';

/** What a follower is told on a connection. */
export class Follower implements UpstreamListener {
  /** In its order, in a word each. */
  readonly told: string[] = [];
  readonly deltas: TailDelta[] = [];
  readonly pieces: Uint8Array[] = [];
  readonly failures: Failure[] = [];
  readonly upstream: Upstream;
  readonly #outside = new OutsideCalls();

  constructor(upstreams: Upstreams, address: string) {
    this.upstream = this.#outside.into(() => upstreams.connect(address, this));
  }

  call(run: (upstream: Upstream) => void): void {
    this.#outside.into(() => run(this.upstream));
  }

  readDeltas(
    key: string,
    fromSeq: number,
    bytesMax: number,
  ): Array<readonly TailDelta[] | Failure> {
    const answers: Array<readonly TailDelta[] | Failure> = [];
    this.call((upstream) =>
      upstream.readDeltas(docOf(key), { fromSeq, bytesMax }, (deltas) => {
        this.#outside.holdsWhen('deltas were given');
        answers.push(deltas);
      }),
    );
    return answers;
  }

  origin(via: readonly string[], live: boolean): void {
    this.#tell(`origin ${via} ${live}`);
  }

  state(id: number, seq: number, piece: Uint8Array, hash: string | undefined): void {
    this.pieces.push(piece);
    this.#tell(`state ${id} ${seq} ${piece.length} ${hash}`);
  }

  delta(id: number, delta: TailDelta): void {
    this.deltas.push(delta);
    this.#tell(`delta ${id} ${delta.seq}`);
  }

  ended(id: number, why: Failure): void {
    this.failures.push(why);
    this.#tell(`ended ${id} ${why.code}`);
  }

  heads(number: number, seqs: HeadSeqs | Failure): void {
    this.#tell(`heads ${number} ${'code' in seqs ? seqs.code : seqs}`);
  }

  closed(why: Failure): void {
    this.failures.push(why);
    this.#tell(`closed ${why.code}`);
  }

  #tell(what: string): void {
    this.#outside.holdsWhen(`${what} was told`);
    this.told.push(what);
  }
}
