// ListDeltas: a document's history by pages of the engine.

import type { Engine, HistoryPage } from '@deltabase/engine';
import { encodeListedDelta } from '../wire/delta-codec.js';
import { gather, type PageAnswer, type PageSource } from './page-stream.js';

export interface DeltaListRequest {
  readonly space: string;
  readonly key: string;
  /** From 1. */
  readonly fromSeq: number;
  /** At most so many deltas; may be Infinity. */
  readonly limit: number;
}

const RESPONSE_BYTES = 256 * 1024;

export class DeltaList implements PageSource {
  readonly #engine: Engine;
  readonly #request: DeltaListRequest;
  #nextSeq: number;
  #left: number;

  constructor(engine: Engine, request: DeltaListRequest) {
    this.#engine = engine;
    this.#request = request;
    this.#nextSeq = request.fromSeq;
    this.#left = request.limit;
  }

  next(answer: PageAnswer): void {
    if (this.#left === 0) {
      answer.end();
      return;
    }
    const { space, key } = this.#request;
    this.#engine.history({ space, key, fromSeq: this.#nextSeq }, (page) => {
      if (page.kind === 'failed') answer.failed(page);
      else this.#give(page.deltas, answer);
    });
  }

  #give(deltas: HistoryPage['deltas'], answer: PageAnswer): void {
    if (deltas.length === 0) {
      answer.end();
    } else {
      const given = deltas.slice(0, this.#left);
      this.#left -= given.length;
      this.#nextSeq += given.length;
      answer.found(gather(given.map(encodeListedDelta), RESPONSE_BYTES));
    }
  }
}
