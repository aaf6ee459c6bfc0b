// A streaming call that gives what is read page by page: the next page is read when the one before has left,
// so a slow reader costs one page.

import { type Failure, failure } from '@deltabase/engine';
import type { BytesCall } from '@deltabase/grpc-connection';
import type { ByteCounts } from './byte-counts.js';
import { ResponseStream } from './response-stream.js';
import { statusOf } from './status.js';

/** Reads pages; it is asked for one at a time. */
export interface PageSource {
  /** Calls one of `found`, `end` and `failed`, once, at any time. */
  next(page: PageAnswer): void;
}

export interface PageAnswer {
  /** Responses to write; there are none for now if there are no `responses`. */
  found(responses: readonly Buffer[]): void;
  /** There is nothing more. */
  end(): void;
  failed(why: Failure): void;
}

/** All such calls of a node: no more than it has memory for at a time. */
export class PageStreams {
  readonly #max: number;
  #open = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** Answers a call from `source`, or refuses it; `bytes` counts what it gets. */
  begin(call: BytesCall, source: PageSource, bytes?: ByteCounts): void {
    if (this.#open >= this.#max) {
      const why = `${this.#max} calls read pages here already: read at another node, or later`;
      call.emit('error', statusOf(failure('OVERLOADED', why)));
      return;
    }
    this.#open++;
    new PageStream(call, source, { ended: () => this.#open--, bytes });
  }
}

/** Until a source that had nothing is asked again. */
const IDLE_MS = 100;

class PageStream {
  readonly #responses: ResponseStream;
  readonly #source: PageSource;
  readonly #ended: () => void;
  #idle: ReturnType<typeof setTimeout> | undefined;
  #isReading = false;
  #isClosed = false;

  constructor(
    call: BytesCall,
    source: PageSource,
    { ended, bytes }: { readonly ended: () => void; readonly bytes: ByteCounts | undefined },
  ) {
    this.#source = source;
    this.#ended = ended;
    const drained = (): void => this.#continue();
    const closed = (): void => this.#closed();
    this.#responses = new ResponseStream(call, { drained, closed }, { bytes });
    this.#continue();
  }

  #continue(): void {
    if (this.#isReading || this.#responses.isEnded || this.#responses.queuedBytes > 0) return;
    this.#isReading = true;
    this.#source.next({
      found: (responses) => this.#found(responses),
      end: () => {
        this.#responses.end();
        this.#closed();
      },
      failed: (why) => {
        this.#responses.end(statusOf(why));
        this.#closed();
      },
    });
  }

  #found(responses: readonly Buffer[]): void {
    this.#isReading = false;
    for (const response of responses) this.#responses.write(response);
    if (responses.length > 0 || this.#responses.isEnded) return;
    this.#idle = setTimeout(() => this.#continue(), IDLE_MS);
  }

  #closed(): void {
    clearTimeout(this.#idle);
    if (!this.#isClosed) this.#ended();
    this.#isClosed = true;
  }
}

/** Puts encoded elements of one repeated field together, to responses of about `bytes` each. */
export function gather(elements: Iterable<Buffer>, bytes: number): Buffer[] {
  const responses: Buffer[] = [];
  let gathered: Buffer[] = [];
  let size = 0;
  for (const element of elements) {
    gathered.push(element);
    size += element.length;
    if (size < bytes) continue;
    responses.push(Buffer.concat(gathered, size));
    gathered = [];
    size = 0;
  }
  if (size > 0) responses.push(Buffer.concat(gathered, size));
  return responses;
}
