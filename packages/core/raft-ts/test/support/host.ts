// A host for one replica, which does what Ready asks in the smallest steps there are, so that a test can stop
// it, crash it or look at it between any two of them. Steps wait in threads: one without asynchronous storage
// writes; with them one that appends and one that applies, at their own pace.

import assert from 'node:assert/strict';
import { decodeConfChange } from '../../src/conf-change.js';
import type { Config } from '../../src/config.js';
import { isRaftError } from '../../src/errors.js';
import type { Message } from '../../src/message.js';
import { RawNode } from '../../src/raw-node.js';
import type { AppendWork, ApplyWork, Ready } from '../../src/ready.js';
import {
  type ConfState,
  type Entry,
  type HardState,
  NONE,
  type NodeId,
  type ReadState,
  type Snapshot,
} from '../../src/types.js';
import { TestDisk } from './disk.js';
import { applyEntry, decodeMachine, type MachineState } from './machine.js';

export type HostConfig = Partial<Omit<Config, 'id' | 'storage' | 'applied'>>;

/** A configuration, and what is on the disk to begin with. */
export interface HostOptions extends HostConfig {
  readonly voters: readonly NodeId[];
  /** The terms of the log's entries, from index 1 on. */
  readonly terms?: readonly number[];
  /** By default the term of the last entry, without a vote or a commit. */
  readonly hardState?: Partial<HardState>;
}

export type ThreadName = 'main' | 'append' | 'apply';

type StepName = 'write' | 'sync' | 'tell' | 'send' | 'apply' | 'done';

interface Step {
  readonly name: StepName;
  readonly run: () => void;
  /** It has to wait until all that was handed out to be applied is. */
  readonly afterApplies: boolean;
}

/** What a test may want to see happen. */
export interface HostEvents {
  readonly sent?: (message: Message) => void;
  readonly applied?: (entry: Entry, machine: MachineState) => void;
  readonly restored?: (snapshot: Snapshot) => void;
  readonly read?: (read: ReadState) => void;
  readonly ready?: (ready: Ready) => void;
}

export class TestHost {
  readonly id: NodeId;
  readonly disk: TestDisk;
  readonly config: HostConfig;
  readonly #events: HostEvents;
  readonly #threads = new Map<ThreadName, Step[]>();
  #node: RawNode | undefined;
  #machine!: MachineState;
  #confState!: ConfState;

  constructor(id: NodeId, options: HostOptions, events: HostEvents = {}) {
    const { voters, terms = [], hardState, ...config } = options;
    this.id = id;
    this.disk = new TestDisk(voters);
    this.disk.begin({ term: terms.at(-1) ?? 0, vote: NONE, commit: 0, ...hardState }, terms);
    this.config = config;
    this.#events = events;
    this.start();
  }

  get isUp(): boolean {
    return this.#node !== undefined;
  }

  get node(): RawNode {
    assert.ok(this.#node, `node ${this.id} is down`);
    return this.#node;
  }

  get machine(): MachineState {
    return this.#machine;
  }

  /** The configuration as far as it is applied. */
  get confState(): ConfState {
    return this.#confState;
  }

  get isAsync(): boolean {
    return this.config.asyncStorageWrites ?? false;
  }

  start(): void {
    const { machine, confState } = this.disk.applied;
    this.#machine = machine;
    this.#confState = confState;
    this.#node = new RawNode({
      electionTicks: 10,
      heartbeatTicks: 1,
      random: () => 0,
      ...this.config,
      id: this.id,
      storage: this.disk,
      applied: machine.index,
    });
  }

  /** Stops at this moment; of the writes that were not synced only the first `kept` survive. */
  crash(kept = 0): void {
    this.#threads.clear();
    this.#node = undefined;
    this.disk.crash(kept);
  }

  restart(kept = 0): void {
    this.crash(kept);
    this.start();
  }

  /** Whether a Ready can be taken. */
  get canTake(): boolean {
    return this.isUp && this.#thread('main').length === 0 && this.node.hasReady();
  }

  /** Takes a Ready and puts what it asks for into the threads. */
  take(): Ready {
    const ready = this.node.ready();
    this.#events.ready?.(ready);
    if (this.isAsync) this.#takeAsync(ready);
    else this.#takeSync(ready);
    return ready;
  }

  /** The threads that have a step to take. */
  runnable(): ThreadName[] {
    return (['main', 'append', 'apply'] as const).filter((name) => {
      const step = this.#thread(name)[0];
      return step && !(step.afterApplies && this.#thread('apply').length > 0);
    });
  }

  /** Takes the next step of a thread, and says which it was. */
  run(name: ThreadName): StepName {
    const step = this.#thread(name).shift();
    assert.ok(step, `thread ${name} has a step`);
    step.run();
    return step.name;
  }

  /** Runs everything until nothing is left to do. */
  pump(): void {
    for (;;) {
      const [thread] = this.runnable();
      if (thread !== undefined) this.run(thread);
      else if (this.canTake) this.take();
      else return;
    }
  }

  #takeSync(ready: Ready): void {
    const { append, apply, messages } = ready;
    if (append !== undefined) this.#queueWriting('main', append);
    this.#queue('main', 'send', () => {
      this.#answerReads(ready);
      this.#send(messages);
    });
    if (apply !== undefined) this.#queueApplying('main', apply);
    this.#queue('main', 'done', () => this.node.advance());
  }

  #takeAsync(ready: Ready): void {
    this.#answerReads(ready);
    this.#send(ready.messages);
    const { append, apply } = ready;
    if (append !== undefined) {
      this.#queueWriting('append', append);
      this.#queue('append', 'tell', () => this.#send(this.node.acknowledgeAppend(append)));
    }
    if (apply !== undefined) {
      this.#queueApplying('apply', apply);
      this.#queue('apply', 'done', () => this.node.acknowledgeApply(apply));
    }
  }

  #queueWriting(thread: ThreadName, work: AppendWork): void {
    const afterApplies = work.snapshot !== undefined;
    this.#queue(thread, 'write', () => this.#write(work), afterApplies);
    if (work.mustSync) this.#queue(thread, 'sync', () => this.disk.sync());
  }

  #queueApplying(thread: ThreadName, work: ApplyWork): void {
    for (const entry of work.entries) this.#queue(thread, 'apply', () => this.#apply(entry));
  }

  #write(work: AppendWork): void {
    this.disk.writeAppend(work);
    if (work.snapshot === undefined) return;
    this.#machine = decodeMachine(work.snapshot.data);
    this.#confState = work.snapshot.confState;
    this.#events.restored?.(work.snapshot);
  }

  #apply(entry: Entry): void {
    assert.equal(entry.index, this.#machine.index + 1, 'entries are applied one after the other');
    this.#machine = applyEntry(this.#machine, entry);
    if (entry.type === 'confChange') this.#changeConf(entry);
    this.disk.writeApplied({ machine: this.#machine, confState: this.#confState });
    this.#events.applied?.(entry, this.#machine);
  }

  #changeConf(entry: Entry): void {
    try {
      this.#confState = this.node.applyConfChange(decodeConfChange(entry.data));
    } catch (thrown) {
      if (!isRaftError(thrown, 'ConfChangeInvalid')) throw thrown;
    }
  }

  #answerReads({ readStates }: Ready): void {
    for (const read of readStates) this.#events.read?.(read);
  }

  #send(messages: readonly Message[]): void {
    for (const message of messages) this.#events.sent?.(message);
  }

  #queue(thread: ThreadName, name: StepName, run: () => void, afterApplies = false): void {
    this.#thread(thread).push({ name, run, afterApplies });
  }

  #thread(name: ThreadName): Step[] {
    const thread = this.#threads.get(name) ?? [];
    this.#threads.set(name, thread);
    return thread;
  }
}
