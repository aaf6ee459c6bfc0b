// One stored row of a session: answers that came one after the other, in memory as well. There is an answer for
// each message of the last moments, on every copy, and it lives just long enough for the garbage collector to
// copy it twice: so answers are cells of one list, by number, and short replies are texts.

import { decodeUtf8, encodeUtf8 } from '@deltabase/base';
import { encodeFirstAnswer, type FirstAnswer } from './outcome.js';

/** A reply as it is kept: a short one as text, which takes a third of an array's memory. */
export type KeptReply = string | Uint8Array | undefined;

/** Replies of so many bytes are kept as text. */
export const SHORT_REPLY_BYTES = 40;

/** What is known of one message. */
export interface Remembered {
  readonly answer: FirstAnswer;
  /** nameHash of the document, to notice a number that is used twice. */
  readonly document: number;
}

type Failed = Extract<FirstAnswer, { kind: 'failed' }>;

/** The lasting answer to a message. */
export type KeptAnswer =
  | { readonly kind: 'accepted'; readonly seq: number; readonly reply: KeptReply }
  | Failed;

/** What an answer takes in memory beside the text or the bytes of its reply, about. */
const ANSWER_BYTES = 80;
const ARRAY_BYTES = 170;
/** Number, document, seq, reply of each; a failure has no seq and stands in the place of the reply. */
const CELLS = 4;
const NO_SEQ = -1;

export class AnswerRow {
  /** From 1. */
  readonly part: number;
  isStored: boolean;
  /** Ascending by number. */
  readonly #cells: unknown[] = [];
  /** The first cell that is not forgotten: less than half of them are. */
  #start = 0;
  #bytes = 0;

  constructor(part: number, isStored: boolean) {
    this.part = part;
    this.isStored = isStored;
  }

  /** Answers that are not forgotten. */
  get count(): number {
    return (this.#cells.length - this.#start) / CELLS;
  }

  /** Bytes that they take in memory, about. */
  get bytes(): number {
    return this.#bytes;
  }

  has(number: number): boolean {
    const at = this.#find(number);
    return at < this.#cells.length && this.#cells[at] === number;
  }

  get(number: number): Remembered | undefined {
    const at = this.#find(number);
    if (at === this.#cells.length || this.#cells[at] !== number) return undefined;
    return { answer: this.#answerAt(at), document: this.#documentAt(at) };
  }

  /** Puts an answer that is not here. */
  put(number: number, answer: KeptAnswer, document: number): void {
    const isAccepted = answer.kind === 'accepted';
    const seq = isAccepted ? answer.seq : NO_SEQ;
    const last = isAccepted ? shortAsText(answer.reply) : answer;
    const bytes = bytesOf(last);
    const at = this.#find(number);
    // With a sign: V8 makes an object of what is 2^31 or more.
    const hash = document | 0;
    if (at === this.#cells.length) this.#cells.push(number, hash, seq, last);
    else this.#cells.splice(at, 0, number, hash, seq, last);
    this.#bytes += bytes;
  }

  /** Takes over all answers of `other`, none of which is here. */
  merge(other: AnswerRow): void {
    const cells = other.#cells;
    for (let at = other.#start; at < cells.length; at += CELLS) {
      this.put(cells[at] as number, other.#answerAt(at), other.#documentAt(at));
    }
    other.settle(Infinity);
  }

  /** Forgets the answers below `settled`. Returns whether there were any. */
  settle(settled: number): boolean {
    const end = this.#find(settled);
    if (end === this.#start) return false;
    for (let at = this.#start; at < end; at += CELLS) {
      this.#bytes -= bytesOf(this.#lastAt(at));
      this.#cells[at + 3] = undefined;
    }
    this.#start = end;
    if (2 * end >= this.#cells.length) {
      this.#cells.splice(0, end);
      this.#start = 0;
    }
    return true;
  }

  /** What would stay if everything below `settled` were forgotten. */
  unsettled(settled: number): { readonly count: number; readonly bytes: number } {
    let bytes = 0;
    const start = this.#find(settled);
    for (let at = start; at < this.#cells.length; at += CELLS) bytes += bytesOf(this.#lastAt(at));
    return { count: (this.#cells.length - start) / CELLS, bytes };
  }

  /** The answers as they are stored: number, document and answer of each. */
  list(): unknown[] {
    const list: unknown[] = [];
    for (let at = this.#start; at < this.#cells.length; at += CELLS) {
      const answer = encodeFirstAnswer(this.#answerAt(at));
      list.push([this.#cells[at], this.#documentAt(at), answer]);
    }
    return list;
  }

  /** The cell of the first answer at or behind `number`; the end if there is none. */
  #find(number: number): number {
    const cells = this.#cells;
    let low = this.#start / CELLS;
    let high = cells.length / CELLS;
    // Most come in order.
    if (low < high && (cells[(high - 1) * CELLS] as number) < number) return cells.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((cells[middle * CELLS] as number) < number) low = middle + 1;
      else high = middle;
    }
    return low * CELLS;
  }

  #documentAt(at: number): number {
    return (this.#cells[at + 1] as number) >>> 0;
  }

  #answerAt(at: number): FirstAnswer {
    const last = this.#lastAt(at);
    if (isFailed(last)) return last;
    const reply = typeof last === 'string' ? encodeUtf8(last) : last;
    return { kind: 'accepted', seq: this.#cells[at + 2] as number, reply };
  }

  #lastAt(at: number): KeptReply | Failed {
    return this.#cells[at + 3] as KeptReply | Failed;
  }
}

function isFailed(last: KeptReply | Failed): last is Failed {
  return typeof last === 'object' && 'kind' in last;
}

function bytesOf(last: KeptReply | Failed): number {
  if (isFailed(last)) return ANSWER_BYTES + last.message.length;
  if (typeof last === 'object') return ANSWER_BYTES + ARRAY_BYTES + last.length;
  return ANSWER_BYTES + (last?.length ?? 0);
}

function shortAsText(reply: KeptReply): KeptReply {
  if (typeof reply !== 'object' || reply.length > SHORT_REPLY_BYTES) return reply;
  return decodeUtf8(reply) ?? reply;
}
