// What the leader of a group does with messages, for as long as it leads: run each against its document as
// proposed so far, propose all deltas of a turn as one entry, and answer when that is committed (the life of
// a message, DESIGN.md section 4). OnlyLeadersRunLogic: an instance exists only while this node leads and has
// applied everything committed before its term.

import { assert } from '@deltabase/base';
import { bytesOf, hashText, type Value } from '@deltabase/delta';
import { type FirstAnswer, type Message, SYSTEM_SPACE } from '@deltabase/machine';
import type { Entry } from 'raft-ts';
import type { LocalDocument } from '../documents/local-document.js';
import type { Machine } from '../ports.js';
import { failureOf, type Result, type Submission } from '../results.js';
import type { NoMachine } from '../system/machine-registry.js';
import type { TurnBudget } from '../turn-budget.js';
import type { Backlog } from './backlog.js';
import { type Execution, type ExecutionHost, executeMessage, MESSAGE_FUEL } from './execution.js';
import { InFlight, PendingAnswer } from './in-flight.js';
import { Proposals, type ProposalsHost } from './proposals.js';
import {
  expired,
  memoryFull,
  noRoomFor,
  numberUsedTwice,
  outOfOrder,
  spaceNotFound,
  unusable,
} from './refusals.js';

/** What leading a group needs of the group and its node. */
export interface LeadershipHost extends ProposalsHost, ExecutionHost {
  readonly backlog: Backlog;
  readonly counters: MessageCounters;
  wallMs(): number;
  random(): number;
  /** The version of a space's machine that is active, as proposed so far; `undefined`: none. */
  activeVersion(space: string): number | undefined;
  /** The compiled machine; `undefined`: not here yet, then `ready` is called in a later turn. */
  machine(space: string, version: number, ready: () => void): Machine | NoMachine | undefined;
}

export interface MessageCounters {
  executed: number;
  failed: number;
}

/** The machine that a message runs on. */
interface Running {
  /** `undefined`: the system space. */
  readonly machine: Machine | undefined;
  readonly version: number;
}

const SYSTEM: Running = { machine: undefined, version: 0 };

export class Leadership {
  readonly term: number;
  readonly #host: LeadershipHost;
  readonly #inFlight: InFlight;
  readonly #proposals: Proposals;
  /** Documents whose messages wait for a machine, by its name. */
  readonly #awaitingMachine = new Map<string, Set<LocalDocument>>();
  /** The time of this turn's deltas, ms since 1970. */
  #time = 0;
  #nowMs = 0;

  constructor(host: LeadershipHost, term: number) {
    this.#host = host;
    this.term = term;
    this.#inFlight = new InFlight(host.limits);
    this.#proposals = new Proposals(host, this.#inFlight, term);
  }

  /** Whether every message that was executed is answered. */
  get idle(): boolean {
    return this.#inFlight.count === 0;
  }

  /** What it remembers: messages in flight, and answers without a delta. */
  get load(): { readonly inFlight: number; readonly silent: number } {
    return { inFlight: this.#inFlight.count, silent: this.#inFlight.silentCount };
  }

  /** Whether a message waits that could be executed. */
  get canGoOn(): boolean {
    return this.#host.backlog.hasNext && this.#hasRoom;
  }

  /** Executes messages as long as there are any and the budget lasts, and proposes what they did. */
  execute(budget: TurnBudget): void {
    const { backlog, sessions } = this.#host;
    if (!backlog.hasNext) return;
    this.#nowMs = this.#host.nowMs();
    this.#time = Math.max(Math.floor(this.#host.wallMs()), sessions.time, this.#time);
    while (!budget.spent && this.#hasRoom) {
      const submission = backlog.next();
      if (submission === undefined) break;
      this.#take(submission, budget);
    }
    this.#proposals.propose();
  }

  /** An entry is committed: if it is one of ours, its deltas take effect. Returns whether it was. */
  committed(entry: Entry): boolean {
    return this.#proposals.committed(entry);
  }

  /** Gives up messages that have waited for too long, and memory that nobody needs. */
  tick(nowMs: number): void {
    this.#nowMs = nowMs;
    this.#host.backlog.expire((submission) => this.#isExpired(submission));
    this.#inFlight.forgetOld(nowMs);
  }

  /**
   * The leadership is lost. What was executed and is not committed is dropped, and its senders are told to
   * ask again: the next leader knows from the log alone.
   */
  abort(): void {
    this.#proposals.abort();
    assert(this.idle, 'every message that was executed is answered');
  }

  get #hasRoom(): boolean {
    return this.#inFlight.count < this.#host.limits.groupQueueMax && this.#proposals.hasRoom;
  }

  #take(submission: Submission, budget: TurnBudget): void {
    const { backlog, documents } = this.#host;
    const { space, key } = submission.message;
    const version = space === SYSTEM_SPACE ? 0 : this.#host.activeVersion(space);
    if (version === undefined) {
      budget.spend(MESSAGE_FUEL);
      const isDone = this.#isExpired(submission) || this.#isKnown(submission);
      if (!isDone) this.#executedSilently(submission, spaceNotFound(space));
      return;
    }
    const local = documents.open(space, key);
    if (backlog.isAside(local)) {
      backlog.aside(local, submission);
    } else if (local.document === undefined && documents.isFull) {
      budget.spend(MESSAGE_FUEL);
      this.#send(submission, memoryFull());
    } else if (local.document === undefined) {
      backlog.aside(local, submission);
      documents.load(local, () => this.#release(local));
    } else {
      budget.spend(this.#takeLoaded(submission, local, version));
    }
  }

  /** Returns what it cost, in units of fuel. */
  #takeLoaded(submission: Submission, local: LocalDocument, version: number): number {
    if (this.#isExpired(submission) || this.#isKnown(submission)) return MESSAGE_FUEL;
    const { space } = submission.message;
    if (space === SYSTEM_SPACE) return this.#execute(submission, local, SYSTEM);
    const machine = this.#machine(local, space, version);
    if (machine === undefined) this.#host.backlog.aside(local, submission);
    else if (machine === 'unusable') this.#send(submission, unusable(space, version));
    else if (machine === 'busy') this.#send(submission, noRoomFor(space, version));
    else return this.#execute(submission, local, { machine, version });
    return MESSAGE_FUEL;
  }

  /** The machine; `undefined` if it is not here yet: the document is released when it is. */
  #machine(local: LocalDocument, space: string, version: number): Machine | NoMachine | undefined {
    const name = `${space}@${version}`;
    const awaiting = this.#awaitingMachine.get(name);
    if (awaiting !== undefined) {
      awaiting.add(local);
      return undefined;
    }
    const machine = this.#host.machine(space, version, () => {
      const released = this.#awaitingMachine.get(name) ?? [];
      this.#awaitingMachine.delete(name);
      for (const waiting of released) this.#release(waiting);
    });
    if (machine === undefined) this.#awaitingMachine.set(name, new Set([local]));
    return machine;
  }

  #release(local: LocalDocument): void {
    this.#host.backlog.release(local);
    this.#host.wake();
  }

  /** Returns what it cost, in units of fuel. */
  #execute(submission: Submission, local: LocalDocument, running: Running): number {
    const { counters } = this.#host;
    const { proposed } = local.document!;
    const chance = { time: this.#time, seed: this.#host.random() };
    const { message } = submission;
    const execution = executeMessage(this.#host, running.machine, message, proposed, chance);
    counters.executed++;
    local.usedMs = this.#nowMs;
    if (execution.kind === 'changed') {
      this.#propose(submission, local, execution, { version: running.version, seed: chance.seed });
    } else if (execution.kind === 'unchanged') {
      const { reply } = execution;
      this.#executedSilently(submission, { kind: 'accepted', seq: proposed.seq, reply });
    } else {
      counters.failed++;
      this.#executedSilently(submission, execution.failure);
    }
    return execution.fuel;
  }

  /** Puts a delta on the document, among those proposed next. */
  #propose(
    submission: Submission,
    local: LocalDocument,
    { root, patch, reply, handlerFuel }: Extract<Execution, { kind: 'changed' }>,
    { version, seed }: { readonly version: number; readonly seed: number },
  ): void {
    const { space, key, session, number, principal, channel, payload } = submission.message;
    const pending = new PendingAnswer(submission);
    this.#inFlight.add(pending);
    const { seq } = local.document!.propose(root);
    // Who looks at each version must not find the last of an entry only.
    if (local.observer !== undefined) local.document!.endEntry();
    this.#proposals.addDelta(pending, local, {
      space,
      key,
      seq,
      session: session.name,
      openedAt: session.openedAt,
      number,
      settled: session.settled,
      principal,
      channel,
      payload,
      time: this.#time,
      seed,
      version,
      patch,
      reply,
      effects: [],
      fuel: handlerFuel,
      hash: hashText(root),
      snapshotAdvised: this.#isSnapshotDue(local, root),
    });
  }

  /** A snapshot is worth it once the deltas since the last one far outweigh it: so it costs a part of them. */
  #isSnapshotDue(local: LocalDocument, root: Value): boolean {
    const { snapshotDeltaBytesMin, snapshotDeltaFactor } = this.#host.limits;
    const worthIt = Math.max(snapshotDeltaBytesMin, snapshotDeltaFactor * bytesOf(root));
    return local.bytesSinceSnapshot >= worthIt;
  }

  /** Answers retries of what is known, and what must not run. Returns whether that was all. */
  #isKnown(submission: Submission): boolean {
    const { message, sink, tag } = submission;
    const known = this.#host.sessions.find(message, this.#time);
    if (known.kind === 'answered') {
      this.#send(submission, { kind: 'accepted', ...known.answer });
      return true;
    }
    if (known.kind === 'refused') {
      this.#send(submission, failureOf(known.error));
      return true;
    }
    const executed = this.#inFlight.find(message);
    if (executed !== undefined) {
      if (!executed.isTo(message)) this.#send(submission, numberUsedTwice(message.number));
      else if (executed.end !== undefined) this.#endAgain(submission, executed.end);
      else if (executed instanceof PendingAnswer) this.#inFlight.join(executed, sink, tag);
      return true;
    }
    if (this.#isInOrder(submission)) return false;
    // A later leader may know better: it counts only if this one still leads.
    const refused = new PendingAnswer(submission);
    this.#inFlight.owe(refused);
    this.#proposals.addSilent(refused, outOfOrder(message.after));
    return true;
  }

  #isInOrder({ message: { session, after } }: Submission): boolean {
    if (after === 0) return true;
    const { sessions } = this.#host;
    return sessions.has(session.name, after) || this.#inFlight.has(session.name, after);
  }

  /** A message has run and left no delta. */
  #executedSilently(submission: Submission, result: Result): void {
    const pending = new PendingAnswer(submission, result);
    this.#inFlight.add(pending);
    this.#inFlight.addSilent(submission.message, result);
    this.#answerSilently(submission.message, pending, result);
  }

  /** A message came again that has run and left no delta. */
  #endAgain(submission: Submission, result: Result): void {
    const pending = new PendingAnswer(submission, result);
    this.#inFlight.owe(pending);
    this.#answerSilently(submission.message, pending, result);
  }

  /** While another copy of the message may be on its way, its answer is true only if every leader gives it. */
  #answerSilently(message: Message, pending: PendingAnswer, result: Result): void {
    if (message.retried !== true || message.session.name === '') {
      this.#proposals.addSilent(pending, result);
      return;
    }
    const { space, key, number, session } = message;
    const { name, openedAt, settled } = session;
    const place = { space, key, session: name, openedAt, number, settled, time: this.#time };
    this.#proposals.addOutcome(pending, result, { answer: firstAnswerOf(result), ...place });
  }

  #send({ sink, tag }: Submission, result: Result): void {
    sink.answer(tag, result);
    this.#host.touched.add(sink);
  }

  #isExpired(submission: Submission): boolean {
    if (submission.expiresMs > this.#nowMs && submission.sink.isGone !== true) return false;
    this.#send(submission, expired());
    return true;
  }
}

function firstAnswerOf(result: Result): FirstAnswer {
  if (result.kind === 'accepted') return result;
  const { kind, code, message } = result;
  return { kind, code, message };
}
