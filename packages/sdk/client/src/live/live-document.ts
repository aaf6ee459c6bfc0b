// A copy of a document in the memory of this process, kept current by its deltas: reading it reaches nobody. It goes on
// by itself when nodes come and go, and until then is what it was: at some moment exactly the document (CommittedOnly).

import { DeltabaseError } from '@deltabase/base';
import { getIn, type Json, parsePointer, type Tokens } from '@deltabase/delta';
import type { CallOptions } from '../options.js';
import { type WatchHost, type WatchPolicy, watchFrom } from '../reading/watch.js';
import type { SendResult } from '../sending/receivers.js';
import { LivePlace, type LiveVersion } from './live-place.js';
import { plainOf } from './plain.js';

export interface LiveOptions extends CallOptions {
  /** How much of what happens is followed; `every` delta by default. `latest` costs a busy document less. */
  readonly policy?: WatchPolicy;
}

/** What a listener is told of a change. */
export interface LiveChange<Value = Json> {
  /** The document's seq after it. */
  readonly seq: number;
  /** What is at the pointer now; `undefined`: nothing. Frozen. */
  readonly value: Value | undefined;
  /** What was there before. */
  readonly before: Value | undefined;
}

export type LiveListener<Value = Json> = (change: LiveChange<Value>) => void;

/** What a live document needs of its document. */
export interface LiveHost extends WatchHost {
  readonly space: string;
  readonly key: string;
  send<Reply>(
    channel: string,
    payload: Json | undefined,
    options: CallOptions,
  ): Promise<SendResult<Reply>>;
}

interface Listening {
  readonly tokens: Tokens;
  readonly listener: LiveListener;
}

interface Waiter {
  readonly seq: number;
  readonly resolve: () => void;
  readonly reject: (why: DeltabaseError) => void;
}

/** Pointers that were parsed, kept for the next read. */
const POINTERS_MAX = 1000;

export class LiveDocument<State = Json> {
  readonly #host: LiveHost;
  readonly #timeoutMs: number;
  readonly #policy: WatchPolicy;
  readonly #aborter = new AbortController();
  readonly #place = new LivePlace();
  readonly #pointers = new Map<string, Tokens>();
  readonly #listening = new Set<Listening>();
  readonly #waiters = new Set<Waiter>();
  #version: LiveVersion;
  #ended: DeltabaseError | undefined;

  /**
   * Begins to follow a document; resolves once its state is there. Rejects with SPACE_NOT_FOUND and the like, or after
   * `timeoutMs` without any node. Use `Client.live`.
   */
  static async open<State>(
    host: LiveHost,
    { policy = 'every', signal }: LiveOptions,
    timeoutMs: number,
  ): Promise<LiveDocument<State>> {
    const opening = new Opening();
    const live = new LiveDocument<State>(host, policy, timeoutMs, opening);
    const abort = (): void => live.close();
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted) abort();
    await opening.opened;
    return live;
  }

  private constructor(host: LiveHost, policy: WatchPolicy, timeoutMs: number, opening: Opening) {
    this.#host = host;
    this.#policy = policy;
    this.#timeoutMs = timeoutMs;
    this.#version = NOTHING;
    void this.#follow(opening);
  }

  get space(): string {
    return this.#host.space;
  }

  get key(): string {
    return this.#host.key;
  }

  /** How far the copy is. */
  get seq(): number {
    return this.#version.seq;
  }

  /** The rolling hash of the document at that seq: 16 hexadecimal digits. */
  get hash(): string {
    return this.#version.hash;
  }

  /**
   * The whole document. Frozen; what has not changed since it was last asked for is the same object. Of a large document
   * read parts: `get`.
   */
  get value(): State {
    return plainOf(this.#version.root) as State;
  }

  /** Times that the copy was found to be another than the document, and begun anew: report it if it is not 0. */
  get mismatches(): number {
    return this.#place.mismatches;
  }

  /** Why it is not followed any more; `undefined`: it is. */
  get ended(): DeltabaseError | undefined {
    return this.#ended;
  }

  /**
   * What is at an RFC 6901 pointer; `undefined`: nothing. Frozen. Throws INVALID_ARGUMENT for what is no pointer.
   */
  get<Value = Json>(pointer: string): Value | undefined {
    const found = getIn(this.#version.root, this.#tokensOf(pointer));
    return found === undefined ? undefined : (plainOf(found) as Value);
  }

  /**
   * Calls `listener` with each change of what is at a pointer, or in it; '' is the whole document. Returns how to stop it.
   * With another policy than `every` several deltas may come as one change. What a listener throws is an uncaught exception of the process.
   */
  onChange<Value = Json>(pointer: string, listener: LiveListener<Value>): () => void {
    const tokens = this.#tokensOf(pointer);
    const listening: Listening = { tokens, listener: listener as LiveListener };
    this.#listening.add(listening);
    return () => this.#listening.delete(listening);
  }

  /** Sends a message; resolves once it is durable and in this copy: what is read after that shows it. */
  async send<Reply = Json>(
    channel: string,
    payload?: Json,
    options: CallOptions = {},
  ): Promise<SendResult<Reply>> {
    const result = await this.#host.send<Reply>(channel, payload, options);
    await this.reach(result.seq, options);
    return result;
  }

  /** Resolves once the copy has come to `seq`. Rejects with DEADLINE_EXCEEDED, CANCELLED, or when it has ended. */
  reach(seq: number, { deadlineMs = this.#timeoutMs, signal }: CallOptions = {}): Promise<void> {
    if (this.seq >= seq) return Promise.resolve();
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      const release = (): void => {
        cancel();
        signal?.removeEventListener('abort', abort);
        this.#waiters.delete(waiter);
      };
      const fail = (why: DeltabaseError): void => {
        release();
        reject(why);
      };
      const waiter: Waiter = {
        seq,
        resolve: () => {
          release();
          resolve();
        },
        reject: fail,
      };
      const cancel = this.#host.world.after(deadlineMs, () => fail(tooLate(seq, deadlineMs)));
      const abort = (): void => fail(cancelled(signal?.reason));
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiters.add(waiter);
      if (signal?.aborted) abort();
    });
  }

  /** Follows it no longer. What it has stays. */
  close(): void {
    this.#aborter.abort();
    this.#end(cancelled('the live document was closed'));
  }

  async #follow(opening: Opening): Promise<void> {
    const { space, key } = this.#host;
    const policy = this.#policy;
    const target = { space, key, policy, afterSeq: undefined, pointers: [] };
    const { signal } = this.#aborter;
    for (;;) {
      const patience = { timeoutMs: this.#timeoutMs, signal };
      try {
        for await (const version of watchFrom(this.#host, target, () => this.#place, patience)) {
          this.#take(version);
          opening.settle(undefined);
        }
      } catch (thrown) {
        if (!(thrown instanceof DeltabaseError)) throw thrown;
        // Once it has begun it waits for nodes as long as it takes.
        if (opening.isOpen && thrown.retry === 'later') continue;
        this.#end(thrown);
        opening.settle(this.#ended);
        return;
      }
    }
  }

  #take(version: LiveVersion): void {
    const before = this.#version;
    this.#version = version;
    for (const waiter of this.#waiters) if (waiter.seq <= version.seq) waiter.resolve();
    for (const { tokens, listener } of this.#listening) {
      const [was, is] = [getIn(before.root, tokens), getIn(version.root, tokens)];
      // What was not changed is shared by both.
      if (was !== is) this.#tell(listener, changeOf(version.seq, was, is));
    }
  }

  /** What a listener throws is nobody's to catch, but the copy must go on. */
  #tell(listener: LiveListener, change: LiveChange): void {
    try {
      listener(change);
    } catch (thrown) {
      this.#host.world.soon(() => {
        throw thrown;
      });
    }
  }

  #end(why: DeltabaseError): void {
    this.#ended ??= why;
    for (const waiter of this.#waiters) waiter.reject(this.#ended);
    this.#listening.clear();
  }

  #tokensOf(pointer: string): Tokens {
    const known = this.#pointers.get(pointer);
    if (known !== undefined) return known;
    const tokens = parsePointer(pointer);
    if (this.#pointers.size >= POINTERS_MAX) this.#pointers.clear();
    this.#pointers.set(pointer, tokens);
    return tokens;
  }
}

const NOTHING: LiveVersion = { seq: 0, hash: '', root: null };

type ValueAt = ReturnType<typeof getIn>;

/** Made plain only if the listener looks. */
function changeOf(seq: number, was: ValueAt, is: ValueAt): LiveChange {
  return {
    seq,
    get value() {
      return is === undefined ? undefined : plainOf(is);
    },
    get before() {
      return was === undefined ? undefined : plainOf(was);
    },
  };
}

/** Whether its state has come. */
class Opening {
  readonly opened: Promise<void>;
  isOpen = false;
  #settle: ((why: DeltabaseError | undefined) => void) | undefined;

  constructor() {
    this.opened = new Promise((resolve, reject) => {
      this.#settle = (why) => (why === undefined ? resolve() : reject(why));
    });
  }

  /** Its state is there, or will not come. */
  settle(why: DeltabaseError | undefined): void {
    this.isOpen ||= why === undefined;
    this.#settle?.(why);
    this.#settle = undefined;
  }
}

function tooLate(seq: number, deadlineMs: number): DeltabaseError {
  const why = `the copy did not come to seq ${seq} within ${deadlineMs} ms`;
  return new DeltabaseError('DEADLINE_EXCEEDED', why);
}

function cancelled(cause: unknown): DeltabaseError {
  return new DeltabaseError('CANCELLED', 'the caller gave up', { cause });
}
