// Between a replica and its host: gathers what there is to do into a Ready, and takes the host's word that it
// is done (src/ready.ts says what each means). Work is acknowledged in the order in which it was handed out:
// a message may rest on all that was to be written before it (InOrder, contracts 2 and 3).

import { assert } from './assert.js';
import { maybeLeaveJoint } from './membership.js';
import type { DurableMessage, Message } from './message.js';
import { releaseBytes } from './proposals.js';
import { releasePostponedReads } from './reads.js';
import type { AppendWork, ApplyWork, Ready } from './ready.js';
import type { Replica } from './replica.js';
import { step } from './step.js';
import { entriesBytes, type HardState, type ReadState, type SoftState } from './types.js';

const NO_MESSAGES: readonly Message[] = [];
const NO_DURABLE_MESSAGES: readonly DurableMessage[] = [];
const NO_READS: readonly ReadState[] = [];

export class Handover {
  readonly #replica: Replica;
  /** What the host was last told. */
  #softState: SoftState;
  #hardState: HardState;
  /** Handed out and not acknowledged, oldest first. */
  readonly #appends: AppendWork[] = [];
  readonly #applies: ApplyWork[] = [];
  /** Without asynchronous storage writes: between `ready` and `advance`. */
  #awaitsAdvance = false;

  constructor(replica: Replica) {
    this.#replica = replica;
    this.#softState = { lead: replica.lead, role: replica.role };
    this.#hardState = replica.hardState;
  }

  hasReady(): boolean {
    const replica = this.#replica;
    return (
      replica.messages.length > 0 ||
      replica.readStates.length > 0 ||
      this.#hasAppend() ||
      replica.log.hasNextCommitted(replica.config.asyncStorageWrites) ||
      this.#softStateChanged()
    );
  }

  ready(): Ready {
    const { config } = this.#replica;
    assert(!this.#awaitsAdvance, 'advance comes before the next ready');
    this.#awaitsAdvance = !config.asyncStorageWrites;
    const append = this.#takeAppend();
    const apply = this.#takeApply();
    const messages = this.#takeMessages();
    return {
      softState: this.#takeSoftState(),
      readStates: this.#takeReadStates(),
      messages: config.asyncStorageWrites ? messages : withDurable(messages, append),
      append,
      apply,
    };
  }

  advance(): void {
    assert(this.#awaitsAdvance, 'advance follows ready, and not with asynchronous storage writes');
    this.#awaitsAdvance = false;
    const [append] = this.#appends;
    const [apply] = this.#applies;
    if (append !== undefined) this.#appended(append);
    if (apply !== undefined) this.#applied(apply);
  }

  acknowledgeAppend(work: AppendWork): readonly Message[] {
    assert(this.#replica.config.asyncStorageWrites, 'else advance acknowledges');
    return this.#appended(work);
  }

  acknowledgeApply(work: ApplyWork): void {
    assert(this.#replica.config.asyncStorageWrites, 'else advance acknowledges');
    this.#applied(work);
  }

  #appended(work: AppendWork): readonly Message[] {
    assert(
      this.#appends.shift() === work,
      'appends are acknowledged in order, each once (InOrder)',
    );
    const replica = this.#replica;
    const messages: Message[] = [];
    for (const message of work.messages) {
      if (message.to === replica.id) step(replica, message);
      else messages.push(message);
    }
    // If the term has moved on, other entries may stand at the same place by now, and even be equal in name
    // to what a later write brings: only that write's own acknowledgement counts (contract 3, ABA).
    if (work.last !== undefined && work.term === replica.term) {
      replica.log.unstable.stableTo(work.last);
    }
    if (work.snapshot !== undefined) this.#restored(work.snapshot.index);
    return messages;
  }

  #restored(index: number): void {
    const replica = this.#replica;
    assert(this.#applies.length === 0, 'what was handed out is applied before a snapshot is');
    replica.log.stableSnapshotTo(index);
    if (!replica.log.unstable.hasSnapshot) replica.appliedConf = undefined;
  }

  #applied(work: ApplyWork): void {
    assert(
      this.#applies.shift() === work,
      'applies are acknowledged in order, each once (InOrder)',
    );
    const replica = this.#replica;
    replica.log.appliedTo(work.entries.at(-1)!.index, entriesBytes(work.entries));
    releaseBytes(replica, work.entries);
    maybeLeaveJoint(replica);
    releasePostponedReads(replica);
  }

  #hasAppend(): boolean {
    const { durableMessages, log } = this.#replica;
    const { unstable } = log;
    return (
      durableMessages.length > 0 ||
      unstable.hasNextEntries ||
      unstable.hasNextSnapshot ||
      this.#hardStateChanged()
    );
  }

  #takeAppend(): AppendWork | undefined {
    if (!this.#hasAppend()) return undefined;
    const replica = this.#replica;
    const { unstable } = replica.log;
    const hardState = this.#hardStateChanged() ? replica.hardState : undefined;
    const entries = unstable.nextEntries();
    const snapshot = unstable.hasNextSnapshot ? unstable.snapshot : undefined;
    const work: AppendWork = {
      hardState,
      entries,
      snapshot,
      mustSync: entries.length > 0 || snapshot !== undefined || this.#promises(hardState),
      messages: this.#takeDurableMessages(),
      last: unstable.entryCount > 0 ? replica.log.lastId() : undefined,
      term: replica.term,
    };
    unstable.accept();
    if (hardState !== undefined) this.#hardState = hardState;
    this.#appends.push(work);
    return work;
  }

  /** Whether `next` has a new term or vote, which must never be forgotten. */
  #promises(next: HardState | undefined): boolean {
    const { term, vote } = this.#hardState;
    return next !== undefined && (next.term !== term || next.vote !== vote);
  }

  #takeApply(): ApplyWork | undefined {
    const { log, config } = this.#replica;
    const entries = log.nextCommitted(config.asyncStorageWrites);
    if (entries.length === 0) return undefined;
    log.acceptApplying(entries);
    const work = { entries };
    this.#applies.push(work);
    return work;
  }

  #takeMessages(): readonly Message[] {
    const { messages } = this.#replica;
    if (messages.length === 0) return NO_MESSAGES;
    this.#replica.messages = [];
    return messages;
  }

  #takeDurableMessages(): readonly DurableMessage[] {
    const { durableMessages } = this.#replica;
    if (durableMessages.length === 0) return NO_DURABLE_MESSAGES;
    this.#replica.durableMessages = [];
    return durableMessages;
  }

  #takeReadStates(): readonly ReadState[] {
    const { readStates } = this.#replica;
    if (readStates.length === 0) return NO_READS;
    this.#replica.readStates = [];
    return readStates;
  }

  #takeSoftState(): SoftState | undefined {
    if (!this.#softStateChanged()) return undefined;
    this.#softState = { lead: this.#replica.lead, role: this.#replica.role };
    return this.#softState;
  }

  #softStateChanged(): boolean {
    const { lead, role } = this.#softState;
    return lead !== this.#replica.lead || role !== this.#replica.role;
  }

  #hardStateChanged(): boolean {
    const { term, vote, commit } = this.#hardState;
    const replica = this.#replica;
    return commit !== replica.log.committed || term !== replica.term || vote !== replica.vote;
  }
}

/** Without asynchronous writes messages leave after the write, so those that wait for it go with them. */
function withDurable(
  messages: readonly Message[],
  append: AppendWork | undefined,
): readonly Message[] {
  if (append === undefined || append.messages.length === 0) return messages;
  return [...messages, ...append.messages.filter(({ from, to }) => from !== to)];
}
