// Who lags behind what is kept of a view waits for steps from the history here: a few at a time, as each holds a
// document's earlier state while it runs; and those who need the same get the same.

import type { Limits } from '@deltabase/base';
import { Fifo } from '../fifo.js';
import type { Failure } from '../results.js';
import { runTask } from '../task.js';
import type { DocumentSource } from './document-source.js';
import { type ViewSteps, type ViewStepsRequest, viewSteps } from './view-catch-up.js';
import type { ViewLine } from './view-line.js';

export interface CatchingUpHost {
  readonly limits: Pick<Limits, 'composedBytesMax'>;
  inTurn(step: () => void): void;
}

export interface CatchUp extends Omit<ViewStepsRequest, 'filter' | 'seq'> {
  readonly line: ViewLine;
  readonly source: DocumentSource;
}

type Done = (made: ViewSteps | Failure) => void;

const AT_ONCE = 16;

export class CatchingUp {
  readonly #host: CatchingUpHost;
  /** Who waits, by view and by where it begins. */
  readonly #joined = new Map<ViewLine, Map<number, Done[]>>();
  readonly #waiting = new Fifo<() => void>();
  #running = 0;

  constructor(host: CatchingUpHost) {
    this.#host = host;
  }

  /** Calls `done` with steps behind `fromSeq` of a view, as far as they are not kept by then. */
  request(wanted: CatchUp, done: Done): void {
    const { line, fromSeq } = wanted;
    let ofLine = this.#joined.get(line);
    if (ofLine === undefined) {
      ofLine = new Map();
      this.#joined.set(line, ofLine);
    }
    const others = ofLine.get(fromSeq);
    if (others !== undefined) {
      others.push(done);
      return;
    }
    ofLine.set(fromSeq, [done]);
    this.#waiting.push(() => this.#start(wanted));
    this.#startNext();
  }

  #startNext(): void {
    while (this.#running < AT_ONCE && this.#waiting.length > 0) {
      this.#running++;
      this.#waiting.shift()!();
    }
  }

  #start({ line, source, fromSeq, from }: CatchUp): void {
    const { filter, knownFromSeq: seq } = line;
    const { limits, inTurn } = this.#host;
    const task = viewSteps(source, { filter, fromSeq, from, seq }, limits);
    const finished = (made: ViewSteps | Failure): void => {
      this.#running--;
      for (const done of this.#take(line, fromSeq)) done(made);
      this.#startNext();
    };
    runTask(task, inTurn, finished, (thrown) => {
      throw thrown;
    });
  }

  #take(line: ViewLine, fromSeq: number): readonly Done[] {
    const ofLine = this.#joined.get(line)!;
    const waiting = ofLine.get(fromSeq)!;
    ofLine.delete(fromSeq);
    if (ofLine.size === 0) this.#joined.delete(line);
    return waiting;
  }
}
