// ReadLog: a group's entries as this node has them, page by page; with `follow`, those that are committed
// later too.

import { describeEntry, type Engine, type Failure, failure } from '@deltabase/engine';
import type { Entry } from 'raft-ts';
import { WireWriter } from '../wire/writer.js';
import { gather, type PageAnswer, type PageSource } from './page-stream.js';

export interface LogRequest {
  readonly group: number;
  /** 0: the oldest there is. */
  readonly fromIndex: number;
  /** At most so many entries; may be Infinity. */
  readonly limit: number;
  readonly follow: boolean;
}

const RESPONSE_BYTES = 256 * 1024;
/** Records by themselves have many times the bytes that they have in an entry: no more of them are made at once. */
const PAGE_BYTES = 1024 * 1024;

export class LogReader implements PageSource {
  readonly #engine: Engine;
  readonly #request: LogRequest;
  #nextIndex: number;
  #left: number;
  #hasBegun = false;

  constructor(engine: Engine, request: LogRequest) {
    this.#engine = engine;
    this.#request = request;
    this.#nextIndex = request.fromIndex;
    this.#left = request.limit;
  }

  next(answer: PageAnswer): void {
    const { group, follow } = this.#request;
    if (this.#left === 0) {
      answer.end();
      return;
    }
    this.#engine.readLog(group, this.#nextIndex, (entries, commitIndex) => {
      const known = follow ? entries.filter(({ index }) => index <= commitIndex) : entries;
      const given = known.slice(0, this.#left);
      if (given.length === 0 && !follow) {
        answer.end();
        return;
      }
      const first = given[0]?.index ?? this.#nextIndex;
      // Where it begins the oldest there is will do; from there on nothing is left out.
      if (this.#hasBegun && first > this.#nextIndex) {
        answer.failed(compacted(this.#nextIndex, first));
        return;
      }
      const encoded: Buffer[] = [];
      let bytes = 0;
      for (const entry of given) {
        if (bytes >= PAGE_BYTES) break;
        encoded.push(encodeEntry(entry, entry.index <= commitIndex));
        bytes += encoded.at(-1)!.length;
        this.#nextIndex = entry.index + 1;
      }
      this.#hasBegun ||= encoded.length > 0;
      this.#left -= encoded.length;
      answer.found(gather(encoded, RESPONSE_BYTES));
    });
  }
}

function compacted(from: number, firstIndex: number): Failure {
  return failure(
    'HISTORY_GONE',
    `entries ${from} to ${firstIndex - 1} left the log before they were read: read on from ${firstIndex}`,
    { firstIndex },
  );
}

const outer = new WireWriter();
const inner = new WireWriter();

/** One element of `ReadLogResponse.entries`. */
function encodeEntry(entry: Entry, committed: boolean): Buffer {
  const { kind, records, summary } = describeEntry(entry);
  inner
    .number(1, entry.index)
    .number(2, entry.term)
    .text(3, kind)
    .number(4, entry.data.length)
    .flag(5, committed);
  for (const record of records) inner.present(6, record);
  return outer.present(1, inner.text(7, summary).finish()).finish();
}
