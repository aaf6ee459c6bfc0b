// What a leader has executed and not answered: gathered into entries, proposed once a turn, answered when they
// are committed (AckedIsDurable). Answers are linearizable also where nothing was proposed (a refusal, an empty
// delta): such an answer waits until what the message saw is committed, and until something proves that this
// node still led when it ran, which is the commit of an entry proposed later, or a quorum asked for it.

import { assert, type Limits } from '@deltabase/base';
import {
  type DeltaRecord,
  DeltasWriter,
  encodeOutcome,
  encodeOutcomes,
  type OutcomeRecord,
  type Sessions,
} from '@deltabase/machine';
import type { Entry, RawNode } from 'raft-ts';
import type { GroupDocuments } from '../documents/group-documents.js';
import type { LocalDocument } from '../documents/local-document.js';
import type { AnswerSink, Result } from '../results.js';
import type { Confirmed } from './confirmations.js';
import type { InFlight, PendingAnswer } from './in-flight.js';
import { leadershipLost } from './refusals.js';

export interface ProposalsHost {
  readonly node: RawNode;
  readonly documents: GroupDocuments;
  readonly sessions: Sessions;
  readonly limits: Limits;
  /** Sinks that got an answer in this turn. */
  readonly touched: Set<AnswerSink>;
  nowMs(): number;
  confirm(expiresMs: number, done: Confirmed): void;
  /** Asks for another turn. */
  wake(): void;
  /** A delta of this node's own proposing was applied. */
  applied(local: LocalDocument): void;
}

interface Delta {
  readonly kind: 'delta';
  readonly pending: PendingAnswer;
  readonly local: LocalDocument;
  readonly record: DeltaRecord;
  /** Where the record stands in the entry. */
  readonly offset: number;
}

/** It leaves nothing in the log. */
interface Silent {
  readonly kind: 'silent';
  readonly pending: PendingAnswer;
  readonly result: Result;
}

/** It leaves its answer in the log. */
interface Outcome {
  readonly kind: 'outcome';
  readonly pending: PendingAnswer;
  readonly result: Result;
  readonly record: OutcomeRecord;
}

type Executed = Delta | Silent | Outcome;

interface ProposedEntry {
  readonly index: number;
  /** The deltas or outcomes in it, and between them what is answered with it, in the order of execution. */
  readonly executed: Executed[];
}

/** More than the names, ids and numbers of a record take, in bytes. */
const NAMES_BYTES_MAX = 4096;
/** How long an answer without a delta waits for a quorum; a leader without one has stepped down by then. */
const CONFIRM_MS = 10_000;

export class Proposals {
  readonly #host: ProposalsHost;
  readonly #inFlight: InFlight;
  readonly #term: number;
  readonly #recordBytesMax: number;
  readonly #writer = new DeltasWriter();
  /** Proposed and not applied, oldest first. */
  #entries: ProposedEntry[] = [];
  /** Executed since the last proposal. */
  #gathered: Executed[] = [];
  /** Encoded outcomes among them; then no deltas are, which go into other entries. */
  #outcomes: Uint8Array[] = [];
  #outcomesBytes = 0;
  /** Turns of silent answers that wait for a quorum, oldest first; emptied when an entry takes them along. */
  #unconfirmed: Silent[][] = [];

  constructor(host: ProposalsHost, inFlight: InFlight, term: number) {
    const { patchBytesMax, payloadBytesMax, replyBytesMax } = host.limits;
    this.#host = host;
    this.#inFlight = inFlight;
    this.#term = term;
    this.#recordBytesMax = patchBytesMax + payloadBytesMax + replyBytesMax + NAMES_BYTES_MAX;
  }

  /** Whether the delta of one more message would be taken: not while leadership moves, or the log is full. */
  get hasRoom(): boolean {
    const { node, limits } = this.#host;
    const gathered = this.#writer.bytes + this.#outcomesBytes;
    const bytes = gathered + this.#recordBytesMax;
    // One entry is always taken; what is gathered may become two, of which the second must fit.
    const isFirst = this.#writer.count === 0 && this.#outcomes.length === 0;
    return node.canPropose(bytes) && (isFirst || bytes <= limits.uncommittedBytesMax);
  }

  /** A message was executed, and this is its delta. */
  addDelta(pending: PendingAnswer, local: LocalDocument, record: DeltaRecord): void {
    if (this.#outcomes.length > 0) this.#proposeEntry();
    const offset = this.#writer.add(record);
    this.#gathered.push({ kind: 'delta', pending, local, record, offset });
    if (this.#writer.wholeBytes >= this.#host.limits.entryBytesMax) this.#proposeEntry();
  }

  /** A message has its answer without a delta. */
  addSilent(pending: PendingAnswer, result: Result): void {
    this.#gathered.push({ kind: 'silent', pending, result });
  }

  /** A message has its answer without a delta, and every later leader must know it. */
  addOutcome(pending: PendingAnswer, result: Result, record: OutcomeRecord): void {
    if (this.#writer.count > 0) this.#proposeEntry();
    const bytes = encodeOutcome(record).slice();
    this.#outcomes.push(bytes);
    this.#outcomesBytes += bytes.length;
    this.#gathered.push({ kind: 'outcome', pending, result, record });
    if (this.#outcomesBytes >= this.#host.limits.entryBytesMax) this.#proposeEntry();
  }

  /** The turn's messages are executed. */
  propose(): void {
    if (this.#writer.count > 0 || this.#outcomes.length > 0) this.#proposeEntry();
    else if (this.#gathered.length > 0) this.#confirmSilent();
  }

  /** An entry is committed: if it is one of these, its deltas take effect. Returns whether it was. */
  committed(entry: Entry): boolean {
    const head = this.#entries[0];
    if (head === undefined || head.index !== entry.index) return false;
    assert(entry.term === this.#term, 'a leader commits its own entries');
    this.#entries.shift();
    for (const executed of head.executed) {
      if (executed.kind === 'delta') {
        this.#apply(executed, entry.data);
      } else {
        if (executed.kind === 'outcome') this.#host.sessions.foldOutcome(executed.record);
        this.#answer(executed.pending, executed.result);
      }
    }
    return true;
  }

  /** Leadership is lost: what is not committed is dropped, and its senders are told to ask again. */
  abort(): void {
    assert(this.#gathered.length === 0, 'what was executed in a turn is proposed in it');
    for (const { executed } of this.#entries) {
      for (const one of executed) {
        if (one.kind === 'delta') one.local.document?.drop();
        this.#answer(one.pending, leadershipLost());
      }
    }
    // Nothing that another leader confirms says anything about what ran here.
    for (const { pending } of this.#takeUnconfirmed()) this.#answer(pending, leadershipLost());
    this.#entries = [];
  }

  #proposeEntry(): void {
    const { node } = this.#host;
    // Proposed after they ran, its commit confirms the leadership that silent answers before it ran under.
    const executed: Executed[] = this.#takeUnconfirmed();
    for (const one of this.#gathered) {
      executed.push(one);
      if (one.kind === 'delta') one.local.document!.endEntry();
    }
    this.#gathered = [];
    node.propose(this.#takeEntry());
    this.#entries.push({ index: node.basicStatus().lastIndex, executed });
  }

  #takeEntry(): Uint8Array {
    if (this.#writer.count > 0) return this.#writer.finish();
    const outcomes = this.#outcomes;
    this.#outcomes = [];
    this.#outcomesBytes = 0;
    return encodeOutcomes(outcomes);
  }

  /** Nothing was proposed after they ran, so a quorum must confirm that this node still led then. */
  #confirmSilent(): void {
    const turn = this.#gathered as Silent[];
    this.#gathered = [];
    this.#unconfirmed.push(turn);
    this.#host.confirm(this.#host.nowMs() + CONFIRM_MS, (reached) => {
      this.#unconfirmed = this.#unconfirmed.filter((other) => other !== turn);
      this.#settle(turn.splice(0), reached);
      this.#host.wake();
    });
  }

  #settle(silent: readonly Silent[], reached: boolean): void {
    // What they saw may not be committed yet: it is with the last entry, at the latest.
    const last = reached ? this.#entries.at(-1) : undefined;
    for (const one of silent) {
      if (last !== undefined) last.executed.push(one);
      else this.#answer(one.pending, reached ? one.result : leadershipLost());
    }
  }

  #takeUnconfirmed(): Silent[] {
    if (this.#unconfirmed.length === 0) return [];
    const taken = this.#unconfirmed.flatMap((turn) => turn.splice(0));
    this.#unconfirmed = [];
    return taken;
  }

  #apply({ pending, local, record, offset }: Delta, entry: Uint8Array): void {
    const { documents, sessions } = this.#host;
    const isNew = documents.apply(local, record, entry, offset);
    assert(isNew, 'a leader applies its deltas once (AckedIsDurable)');
    sessions.fold(record);
    this.#host.applied(local);
    this.#answer(pending, { kind: 'accepted', seq: record.seq, reply: record.reply });
  }

  #answer(pending: PendingAnswer, result: Result): void {
    this.#inFlight.remove(pending);
    pending.answer(result, this.#host.touched);
  }
}
