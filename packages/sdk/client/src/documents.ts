// Documents as callers see them: send, get, watch, history.

import { DEFAULT_LIMITS, DeltabaseError } from '@deltabase/base';
import type { Json } from '@deltabase/delta';
import {
  checkChannelName,
  checkDocumentKey,
  checkSpaceName,
  SYSTEM_SPACE,
} from '@deltabase/machine';
import type { Topology } from './cluster/topology.js';
import type { ClientLimits } from './limits.js';
import { LiveDocument, type LiveOptions } from './live/live-document.js';
import { type CallOptions, timeoutOf } from './options.js';
import type { Attempts } from './reading/attempts.js';
import type { Copies } from './reading/copies.js';
import type { AnyWatchEvent, DeltaEvent, ViewEvent, WatchEvent } from './reading/events.js';
import { type ReadMode, type ReadResult, readDocument } from './reading/get.js';
import { historyEvents } from './reading/history.js';
import { interruptible } from './reading/interruptible.js';
import type { OpenReads } from './reading/open-reads.js';
import { type WatchPolicy, watchEvents } from './reading/watch.js';
import { Outgoing, type Receiver, type Target, targetOf } from './sending/outgoing.js';
import { payloadText } from './sending/payload-text.js';
import {
  ManyReceiver,
  OneReceiver,
  type SendOutcome,
  type SendResult,
} from './sending/receivers.js';
import type { Sender } from './sending/sender.js';
import type { World } from './world.js';

/** One of many messages. */
export interface MessageToSend {
  readonly space: string;
  readonly key: string;
  readonly channel: string;
  readonly payload?: Json | undefined;
}

export interface GetOptions extends CallOptions {
  /** RFC 6901: the part of the document that is wanted; the whole by default. */
  readonly pointer?: string;
  /** How fresh it must be; `linearizable` by default. */
  readonly mode?: ReadMode;
  /** The document as it was at this seq, from 1 on. */
  readonly atSeq?: number;
}

export interface WatchOptions extends CallOptions {
  /** Begin with the delta behind this seq, from 0 on, instead of with the state. */
  readonly afterSeq?: number;
  /** How much of what happens is wanted; `every` delta by default. */
  readonly policy?: WatchPolicy;
  /** RFC 6901: only what is at these is wanted, 32 at most; by default, and if there is none, the whole document. */
  readonly pointers?: readonly string[];
}

export interface HistoryOptions extends CallOptions {
  /** The first seq wanted, from 1 on; 1 by default. */
  readonly from?: number;
  /** At most so many; all by default. */
  readonly limit?: number;
}

/** What documents need of their client. */
export interface DocumentsHost {
  readonly world: World;
  readonly limits: ClientLimits;
  readonly sender: Sender;
  readonly attempts: Attempts;
  readonly copies: Copies;
  readonly openReads: OpenReads;
  readonly topology: Topology;
}

/** A document by its name. Making one costs nothing and reaches nobody. */
export class DocumentHandle<State = Json> {
  readonly #target: Target;
  readonly #host: DocumentsHost;

  /** Use `Client.document`. */
  constructor(host: DocumentsHost, space: string, key: string) {
    checkName(space, key);
    this.#target = targetOf(space, key);
    this.#host = host;
  }

  get space(): string {
    return this.#target.space;
  }

  get key(): string {
    return this.#target.key;
  }

  /**
   * Sends a message; resolves once its delta is on stable storage of a quorum (AckedIsDurable). It takes
   * effect exactly once, behind all messages that this client sent to the document before. Rejects with a
   * DeltabaseError: REJECTED if the handler refused it; where `details.outcomeUnknown` is true it may have
   * taken effect nevertheless.
   */
  send<Reply = Json>(
    channel: string,
    payload?: Json,
    options: CallOptions = {},
  ): Promise<SendResult<Reply>> {
    return new Promise((resolve, reject) => {
      const receiver = new OneReceiver(resolve as (result: SendResult) => void, reject);
      const { sender, limits } = this.#host;
      const timeoutMs = timeoutOf(options, limits);
      const content = { target: this.#target, channel, payload };
      submit(sender, makeMessage(this.#host, content, timeoutMs, receiver), options.signal);
    });
  }

  /**
   * Reads the document. Rejects with DOCUMENT_NOT_FOUND, POINTER_NOT_FOUND, SPACE_NOT_FOUND; with INVALID_ARGUMENT for
   * options that cannot be; with OVERLOADED if this client has too many reads open (`readsOpenMax` of its limits).
   */
  async get<Value = State>(options: GetOptions = {}): Promise<ReadResult<Value>> {
    const { pointer = '', mode = 'linearizable', atSeq, signal } = options;
    const target = { pointer, mode, atSeq, ...this.#place() };
    const timeoutMs = timeoutOf(options, this.#host.limits);
    const result = await readDocument(this.#host, target, { timeoutMs, signal });
    return result as ReadResult<Value>;
  }

  /**
   * Follows the document: its state, then every delta without gap or repeat, until the iteration is left. It
   * goes on by itself when nodes come and go; where the history it needs is gone, another state comes. It
   * ends with an error after `deadlineMs` without any node.
   *
   * With the policy `latest`, or so many events a second, a delta may come together with others as one `composed`
   * event, and a state in place of what would be more than it: each leads from the seq of the event before to its
   * own, and to a document of the hash that it names. INVALID_ARGUMENT for a rate below 0.01 or above 1000.
   *
   * With `pointers` the view through them is followed in place of the document: an object in which each pointer means what
   * it means in the document, and which has nothing else. State, patches and hashes are those of the view; deltas
   * that do not touch it do not come, but now and then a `progress` event says up to which seq it is unchanged.
   */
  watch(
    options?: WatchOptions & { readonly policy?: 'every'; readonly pointers?: readonly [] },
  ): AsyncIterableIterator<WatchEvent<State>>;
  watch<View = Json>(
    options: WatchOptions & { readonly pointers: readonly [string, ...string[]] },
  ): AsyncIterableIterator<ViewEvent<View>>;
  watch(options: WatchOptions): AsyncIterableIterator<AnyWatchEvent<State>>;
  watch(options: WatchOptions = {}): AsyncIterableIterator<AnyWatchEvent<State>> {
    const { afterSeq, policy = 'every', pointers = [] } = options;
    const target = { afterSeq, policy, pointers, ...this.#place() };
    const timeoutMs = timeoutOf(options, this.#host.limits);
    return interruptible(options.signal, (signal) =>
      watchEvents<State>(this.#host, target, { timeoutMs, signal }),
    );
  }

  /**
   * A copy of the document in this process, which its deltas keep current: reading it reaches nobody. Resolves once its
   * state is there; rejects with SPACE_NOT_FOUND and the like, or after `deadlineMs` without any node.
   */
  live(options: LiveOptions = {}): Promise<LiveDocument<State>> {
    const { attempts, copies, world, limits } = this.#host;
    const host = {
      ...{ attempts, copies, world, limits },
      send: <Reply>(channel: string, payload: Json | undefined, call: CallOptions) =>
        this.send<Reply>(channel, payload, call),
      ...this.#place(),
    };
    return LiveDocument.open<State>(host, options, timeoutOf(options, limits));
  }

  /** The deltas that made the document, oldest first. `deadlineMs` is for each wait, not for the whole. */
  history(options: HistoryOptions = {}): AsyncIterableIterator<DeltaEvent> {
    const { from = 1, limit = Infinity } = options;
    const target = { from, limit, ...this.#place() };
    const timeoutMs = timeoutOf(options, this.#host.limits);
    return interruptible(options.signal, (signal) =>
      historyEvents(this.#host, target, { timeoutMs, signal }),
    );
  }

  #place(): { space: string; key: string } {
    const { space, key } = this;
    return { space, key };
  }
}

/** Sends many messages at once; the outcomes come in the order of the messages. Never rejects. */
export function sendMany(
  host: DocumentsHost,
  messages: readonly MessageToSend[],
  options: CallOptions,
): Promise<SendOutcome[]> {
  const timeoutMs = timeoutOf(options, host.limits);
  return new Promise((resolve) => {
    const receiver = new ManyReceiver(messages.length, resolve);
    for (const [tag, fields] of messages.entries()) {
      try {
        const { space, key, channel, payload } = fields;
        checkName(space, key);
        const content = { target: targetOf(space, key), channel, payload };
        const message = makeMessage(host, content, timeoutMs, receiver, tag);
        submit(host.sender, message, options.signal);
      } catch (thrown) {
        if (!(thrown instanceof DeltabaseError)) throw thrown;
        receiver.fail(tag, thrown);
      }
    }
  });
}

function submit(sender: Sender, message: Outgoing, signal: AbortSignal | undefined): void {
  if (signal !== undefined) {
    const cancel = (): void => sender.cancel(message);
    signal.addEventListener('abort', cancel, { once: true });
    message.release = () => signal.removeEventListener('abort', cancel);
  }
  if (signal?.aborted) sender.refuse(message);
  else sender.submit(message);
}

interface Content {
  readonly target: Target;
  readonly channel: string;
  readonly payload: Json | undefined;
}

function makeMessage(
  { world, limits }: DocumentsHost,
  { target, channel, payload }: Content,
  timeoutMs: number,
  receiver: Receiver,
  tag = 0,
): Outgoing {
  checkChannelName(channel, DEFAULT_LIMITS);
  const text = payloadText(payload);
  const deadlineMs = world.nowMs() + timeoutMs;
  const characters = text.length + target.name.length;
  if (characters > limits.messageBytesMax) throw tooLarge(characters, limits.messageBytesMax);
  return new Outgoing({ target, channel, payload: text, timeoutMs, deadlineMs, receiver, tag });
}

function tooLarge(characters: number, max: number): DeltabaseError {
  const why = `the message has ${characters} characters, ${max} are allowed: send its content in parts`;
  return new DeltabaseError('INVALID_ARGUMENT', why);
}

function checkName(space: string, key: string): void {
  if (space !== SYSTEM_SPACE) checkSpaceName(space, DEFAULT_LIMITS);
  checkDocumentKey(key, DEFAULT_LIMITS);
}
