// What the leader of a group does with messages, for as long as it leads: run each against its document as
// proposed so far, propose all deltas of a turn as one entry, and answer when that is committed (the life of
// a message, DESIGN.md section 4). OnlyLeadersRunLogic: an instance exists only while this node leads and has
// applied everything committed before its term.

import { assert, DeltabaseError, type Limits } from '@deltabase/base';
import { bytesOf, Draft, hashText, parseValue, type Value } from '@deltabase/delta';
import {
  type DeltaRecord,
  DeltasWriter,
  encodeRecord,
  type Message,
  messageId,
  type Sessions,
  SYSTEM_SPACE,
} from '@deltabase/machine';
import type { Entry, RawNode } from 'raft-ts';
import type { GroupDocuments } from '../documents/group-documents.js';
import type { LocalDocument, TailDelta } from '../documents/local-document.js';
import type { Fifo } from '../fifo.js';
import type { Call, Machine, Outcome } from '../ports.js';
import {
  type AnswerSink,
  type Failure,
  failure,
  failureOf,
  type Result,
  type Submission,
} from '../results.js';
import type { TurnBudget } from '../turn-budget.js';
import type { Confirmed } from './confirmations.js';
import { InFlight, PendingAnswer } from './in-flight.js';

/** What leading a group needs of the group and its node. */
export interface LeadershipHost {
  readonly node: RawNode;
  readonly documents: GroupDocuments;
  readonly sessions: Sessions;
  readonly limits: Limits;
  readonly counters: MessageCounters;
  nowMs(): number;
  wallMs(): number;
  random(): number;
  /** The active version of a space's machine; `undefined`: none. */
  activeVersion(space: string): number | undefined;
  /** The compiled machine; `undefined`: not here yet, then `ready` is called in a later turn. */
  machine(space: string, version: number, ready: () => void): Machine | undefined;
  run(machine: Machine | undefined, call: Call, draft: Draft): Outcome;
  confirm(expiresMs: number, done: Confirmed): void;
  /** The sink got an answer in this turn. */
  touched: Set<AnswerSink>;
  /** Asks for another turn. */
  wake(): void;
  /** A delta of this node's own proposing was applied. */
  applied(local: LocalDocument, delta: TailDelta): void;
}

export interface MessageCounters {
  executed: number;
  failed: number;
}

interface ProposedDelta {
  readonly local: LocalDocument;
  readonly record: DeltaRecord;
  readonly pending: PendingAnswer;
  /** Where its bytes stand in the entry. */
  readonly offset: number;
  readonly length: number;
}

/** An executed message that leaves nothing in the log: its answer waits for what it saw to be committed. */
interface SilentAnswer {
  readonly pending: PendingAnswer;
  readonly result: Result;
}

interface ProposedEntry {
  readonly index: number;
  readonly term: number;
  readonly deltas: readonly ProposedDelta[];
  readonly silent: SilentAnswer[];
}

/** Roughly what a message costs in time beside its fuel, in units of fuel. */
const BASE_FUEL = 2000;
/** More than the names, ids and numbers of a record take, in bytes. */
const NAMES_BYTES_MAX = 4096;
/** Roughly what a delta record has beside patch and payload, in bytes. */
const RECORD_OVERHEAD_BYTES = 128;

export class Leadership {
  readonly term: number;
  readonly #host: LeadershipHost;
  readonly #inFlight = new InFlight();
  readonly #writer = new DeltasWriter();
  /** Proposed entries that are not applied, oldest first. */
  #entries: ProposedEntry[] = [];
  #gathered: ProposedDelta[] = [];
  #silent: SilentAnswer[] = [];
  /** Messages to documents that are not in memory yet, or whose machine is not. */
  readonly #waiting = new Map<LocalDocument, Submission[]>();
  #waitingCount = 0;
  #woken: LocalDocument[] = [];
  /** The time of this turn's deltas, ms since 1970. */
  #time = 0;

  constructor(host: LeadershipHost, term: number) {
    this.#host = host;
    this.term = term;
  }

  /** Messages that wait for a document or a machine. */
  get waitingCount(): number {
    return this.#waitingCount;
  }

  /** Whether nothing waits or is in flight. */
  get idle(): boolean {
    return this.#entries.length === 0 && this.#waitingCount === 0;
  }

  /** Executes messages as long as there are any and the budget lasts, and proposes what they did. */
  execute(queue: Fifo<Submission>, budget: TurnBudget): void {
    if (queue.length === 0 && this.#woken.length === 0) return;
    if (budget.spent) {
      this.#host.wake();
      return;
    }
    // While leadership moves, or too much is in flight, messages wait in the queue.
    if (!this.#hasRoom(budget)) return;
    const { sessions } = this.#host;
    this.#time = Math.max(this.#host.wallMs(), sessions.time, this.#time);
    while (this.#woken.length > 0 && this.#hasRoom(budget)) {
      this.#resume(this.#woken.shift()!, budget);
    }
    while (queue.length > 0 && this.#hasRoom(budget)) this.#take(queue.shift()!, budget);
    this.#propose();
    if (budget.spent && this.#woken.length + queue.length > 0) this.#host.wake();
  }

  /** An entry is committed: if it is one of ours, its deltas take effect. Returns whether it was. */
  committed(entry: Entry): boolean {
    const head = this.#entries[0];
    if (head === undefined || head.index !== entry.index) return false;
    assert(head.term === entry.term, 'a leader commits its own entries');
    this.#entries.shift();
    for (const delta of head.deltas) this.#apply(delta, entry.data);
    for (const { pending, result } of head.silent) this.#answer(pending, result);
    return true;
  }

  /** Gives up what has waited for too long, and memory that nobody needs. */
  tick(): void {
    const nowMs = this.#host.nowMs();
    for (const [local, submissions] of this.#waiting) {
      const live = submissions.filter((submission) => !this.#expire(submission, nowMs));
      this.#waitingCount -= submissions.length - live.length;
      this.#waiting.set(local, live);
    }
    this.#inFlight.forgetIdle();
  }

  /**
   * The leadership is lost. What was executed and is not committed is dropped, and its senders are told to
   * ask again: the next leader knows from the log alone. Returns what was never executed.
   */
  abort(): Submission[] {
    for (const { deltas, silent } of this.#entries) {
      for (const { local, pending } of deltas) {
        local.document?.drop();
        this.#answer(pending, leadershipLost());
      }
      for (const { pending } of silent) this.#answer(pending, leadershipLost());
    }
    this.#entries = [];
    return [...this.#waiting.values()].flat();
  }

  /** Whether one more message may run: the turn lasts, and the largest delta would still be taken. */
  #hasRoom(budget: TurnBudget): boolean {
    const { node, limits } = this.#host;
    const recordBytesMax =
      limits.patchBytesMax + limits.payloadBytesMax + limits.replyBytesMax + NAMES_BYTES_MAX;
    return !budget.spent && node.canPropose(this.#writer.bytes + recordBytesMax);
  }

  #take(submission: Submission, budget: TurnBudget): void {
    const { space, key } = submission.message;
    const local = this.#host.documents.open(space, key);
    const waiting = this.#waiting.get(local);
    if (waiting !== undefined) this.#park(waiting, submission);
    else if (local.document === undefined) this.#awaitState(local, submission);
    else this.#execute(submission, local, budget);
  }

  #awaitState(local: LocalDocument, submission: Submission): void {
    this.#park(this.#waitingList(local), submission);
    this.#host.documents.load(local, () => this.#wake(local));
  }

  #wake(local: LocalDocument): void {
    this.#woken.push(local);
    this.#host.wake();
  }

  /** The document's state, or its machine, has come: its messages run in the order in which they came. */
  #resume(local: LocalDocument, budget: TurnBudget): void {
    const submissions = this.#waiting.get(local);
    if (submissions === undefined || local.document === undefined) return;
    this.#waiting.delete(local);
    this.#waitingCount -= submissions.length;
    for (const submission of submissions) this.#take(submission, budget);
  }

  #execute(submission: Submission, local: LocalDocument, budget: TurnBudget): void {
    const { message } = submission;
    if (this.#expire(submission, this.#host.nowMs()) || this.#isKnown(submission)) return;
    const isSystem = message.space === SYSTEM_SPACE;
    const version = isSystem ? 0 : this.#host.activeVersion(message.space);
    if (version === undefined) {
      this.#failSilently(submission, spaceNotFound(message.space));
      return;
    }
    const machine = isSystem
      ? undefined
      : this.#host.machine(message.space, version, () => this.#wake(local));
    if (machine === undefined && !isSystem) {
      this.#park(this.#waitingList(local), submission);
      return;
    }
    local.usedMs = this.#host.nowMs();
    this.#run(submission, local, machine, version, budget);
  }

  #run(
    submission: Submission,
    local: LocalDocument,
    machine: Machine | undefined,
    version: number,
    budget: TurnBudget,
  ): void {
    const { message } = submission;
    const { proposed } = local.document!;
    const { limits, counters } = this.#host;
    const payload = parsePayload(message.payload, limits);
    if (payload.kind === 'failed') {
      this.#failSilently(submission, payload.failure);
      return;
    }
    const draft = new Draft(proposed.root, limits);
    const seed = this.#host.random();
    const call = this.#callOf(message, payload.value, proposed.seq === 0, seed);
    const outcome = this.#host.run(machine, call, draft);
    budget.spend(BASE_FUEL + outcome.fuel);
    counters.executed++;
    if (outcome.kind === 'failed') {
      const { code, message: why } = outcome;
      this.#failSilently(submission, failure(code, why));
    } else if (draft.operations.length === 0) {
      this.#answerSilently(submission, {
        kind: 'accepted',
        seq: proposed.seq,
        reply: outcome.reply,
      });
    } else {
      this.#gather(submission, local, draft, {
        version,
        seed,
        fuel: outcome.fuel,
        reply: outcome.reply,
      });
    }
  }

  #callOf(message: Message, payload: Value, create: boolean, seed: number): Call {
    return {
      create,
      space: message.space,
      key: message.key,
      channel: message.channel,
      principal: message.principal,
      messageId: messageId(message.session.name, message.number),
      payload,
      time: this.#time,
      seed,
    };
  }

  /** Puts a delta on the document, in the entry being gathered, and its answer in flight. */
  #gather(
    submission: Submission,
    local: LocalDocument,
    draft: Draft,
    run: { version: number; seed: number; fuel: number; reply: Uint8Array | undefined },
  ): void {
    const { message } = submission;
    const patch = draft.patchBytes();
    local.bytesSinceSnapshot += patch.length + message.payload.length + RECORD_OVERHEAD_BYTES;
    const proposed = local.document!.propose(draft.root);
    const record: DeltaRecord = {
      space: message.space,
      key: message.key,
      seq: proposed.seq,
      session: message.session.name,
      openedAt: message.session.openedAt,
      number: message.number,
      settled: message.session.settled,
      principal: message.principal,
      channel: message.channel,
      payload: message.payload,
      time: this.#time,
      seed: run.seed,
      version: run.version,
      patch,
      reply: run.reply,
      effects: [],
      fuel: run.fuel,
      hash: hashText(proposed.root),
      snapshotAdvised: this.#snapshotIsDue(local, proposed.root),
    };
    const bytes = encodeRecord(record);
    const offset = this.#writer.add(bytes);
    const pending = new PendingAnswer(submission);
    this.#inFlight.add(pending);
    this.#gathered.push({ local, record, pending, offset, length: bytes.length });
    if (this.#writer.bytes >= this.#host.limits.entryBytesMax) this.#proposeEntry();
  }

  /** A snapshot is worth it once the deltas since the last one outweigh it: so it costs a part of them. */
  #snapshotIsDue(local: LocalDocument, root: Value): boolean {
    const { snapshotDeltaBytesMin } = this.#host.limits;
    if (local.bytesSinceSnapshot < Math.max(snapshotDeltaBytesMin, bytesOf(root))) return false;
    local.bytesSinceSnapshot = 0;
    return true;
  }

  #propose(): void {
    const lastEntry = this.#gathered.length > 0 ? this.#proposeEntry() : undefined;
    if (this.#silent.length === 0) return;
    const silent = this.#silent;
    this.#silent = [];
    // Proposed after they ran, its commit confirms the leadership they ran under.
    if (lastEntry !== undefined) lastEntry.silent.push(...silent);
    else this.#confirmSilent(silent);
  }

  #proposeEntry(): ProposedEntry {
    const { node } = this.#host;
    node.propose(this.#writer.finish());
    const entry: ProposedEntry = {
      index: node.basicStatus().lastIndex,
      term: this.term,
      deltas: this.#gathered,
      silent: [],
    };
    this.#entries.push(entry);
    this.#gathered = [];
    return entry;
  }

  /** Nothing was proposed after they ran, so a quorum must confirm that this node still led then. */
  #confirmSilent(silent: readonly SilentAnswer[]): void {
    const expiresMs = this.#host.nowMs() + CONFIRM_MS;
    this.#host.confirm(expiresMs, (reached) => {
      const last = this.#entries.at(-1);
      if (reached && last !== undefined) {
        last.silent.push(...silent);
        return;
      }
      for (const { pending, result } of silent) {
        this.#answer(pending, reached ? result : leadershipLost());
      }
    });
  }

  /** Answers retries of what is known, and what must not run. Returns whether that was all. */
  #isKnown({ message, sink, tag }: Submission): boolean {
    const known = this.#host.sessions.find(message, this.#time);
    if (known.kind === 'answered') {
      this.#send(sink, tag, { kind: 'accepted', ...known.answer });
      return true;
    }
    if (known.kind === 'refused') {
      this.#send(sink, tag, failureOf(known.error));
      return true;
    }
    const pending = this.#inFlight.find(message);
    if (pending !== undefined) {
      pending.join(sink, tag);
      return true;
    }
    if (this.#isInOrder(message)) return false;
    this.#send(sink, tag, outOfOrder(message.after));
    return true;
  }

  #isInOrder({ session, after }: Message): boolean {
    if (after === 0) return true;
    const { sessions } = this.#host;
    return sessions.has(session.name, after) || this.#inFlight.has(session.name, after);
  }

  #failSilently(submission: Submission, result: Failure): void {
    this.#host.counters.failed++;
    this.#answerSilently(submission, result);
  }

  #answerSilently(submission: Submission, result: Result): void {
    const pending = new PendingAnswer(submission);
    this.#inFlight.add(pending);
    this.#inFlight.addSilent(submission.message);
    this.#silent.push({ pending, result });
  }

  #apply({ local, record, pending, offset, length }: ProposedDelta, entry: Uint8Array): void {
    const { documents, sessions } = this.#host;
    const delta = documents.apply(local, record, entry.subarray(offset, offset + length));
    assert(delta !== undefined, 'a leader applies its deltas once (AckedIsDurable)');
    sessions.fold(record);
    this.#host.applied(local, delta);
    this.#answer(pending, { kind: 'accepted', seq: record.seq, reply: record.reply });
  }

  #answer(pending: PendingAnswer, result: Result): void {
    this.#inFlight.remove(pending);
    pending.answer(result, this.#host.touched);
  }

  #send(sink: AnswerSink, tag: number, result: Result): void {
    sink.answer(tag, result);
    this.#host.touched.add(sink);
  }

  #expire({ sink, tag, expiresMs }: Submission, nowMs: number): boolean {
    if (expiresMs > nowMs) return false;
    this.#send(sink, tag, failure('DEADLINE_EXCEEDED', 'the message was not executed in time'));
    return true;
  }

  #waitingList(local: LocalDocument): Submission[] {
    const known = this.#waiting.get(local);
    if (known !== undefined) return known;
    const list: Submission[] = [];
    this.#waiting.set(local, list);
    return list;
  }

  #park(list: Submission[], submission: Submission): void {
    list.push(submission);
    this.#waitingCount++;
  }
}

/** How long an answer without a delta waits for a quorum; a leader without one has stepped down by then. */
const CONFIRM_MS = 10_000;

type Payload =
  | { readonly kind: 'parsed'; readonly value: Value }
  | { readonly kind: 'failed'; readonly failure: Failure };

function parsePayload(payload: Uint8Array, limits: Limits): Payload {
  if (payload.length === 0) return { kind: 'parsed', value: null };
  try {
    return { kind: 'parsed', value: parseValue(payload, { depthMax: limits.jsonDepthMax }) };
  } catch (thrown) {
    if (!(thrown instanceof DeltabaseError)) throw thrown;
    return { kind: 'failed', failure: failure(thrown.code, `the payload: ${thrown.message}`) };
  }
}

function spaceNotFound(space: string): Failure {
  return failure('SPACE_NOT_FOUND', `no machine is deployed as ${space}: deploy one first`);
}

function outOfOrder(after: number): Failure {
  return failure(
    'OUT_OF_ORDER',
    `message ${after} of the session, which must come before, was not executed: send both again`,
  );
}

function leadershipLost(): Failure {
  return failure(
    'UNAVAILABLE',
    'the leader changed before the message was committed: send it again under the same number',
    { outcomeUnknown: true },
  );
}
