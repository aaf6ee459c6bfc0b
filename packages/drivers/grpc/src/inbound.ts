// One lane from a peer, kept open: subscribes, and subscribes again whenever the stream is gone, sooner first
// and then more and more slowly. A peer that comes back calls this node by itself, which is when `connect`
// makes the next attempt at once; so the wait matters only for what it costs.

import type { Log, LogFields, NodeId } from '@deltabase/engine';
import { Subscription, type SubscriptionOptions } from './subscription.js';

export interface InboundOptions extends SubscriptionOptions {
  readonly log: Log;
  readonly received: (frame: Uint8Array) => void;
  /** The stream was opened or lost. */
  readonly changed: () => void;
}

const BACKOFF_MS_MIN = 25;
const BACKOFF_MS_MAX = 800;

export class Inbound {
  readonly #options: InboundOptions;
  #subscription: Subscription | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #backoffMs = BACKOFF_MS_MIN;
  #isOpen = false;
  /** Why the last attempt failed: the log says it once. */
  #reason = '';

  constructor(options: InboundOptions) {
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Subscribes now, unless that is under way or done. */
  connect(): void {
    if (this.#subscription !== undefined) return;
    clearTimeout(this.#retry);
    this.#subscription = new Subscription(this.#options, {
      opened: () => this.#opened(),
      received: (frame) => this.#received(frame),
      ended: (reason) => this.#ended(reason),
    });
  }

  /** Lets go of the stream, and of the next attempt. */
  close(): void {
    clearTimeout(this.#retry);
    this.#subscription?.cancel();
    this.#subscription = undefined;
    this.#isOpen = false;
  }

  #opened(): void {
    this.#isOpen = true;
    this.#backoffMs = BACKOFF_MS_MIN;
    this.#reason = '';
    this.#options.changed();
  }

  #received(frame: Uint8Array | undefined): void {
    if (frame === undefined) this.#warn('peer-frame-damaged', {});
    else this.#options.received(frame);
  }

  #ended(reason: string): void {
    this.#subscription = undefined;
    this.#retry = setTimeout(() => this.connect(), this.#backoffMs);
    this.#backoffMs = Math.min(this.#backoffMs * 2, BACKOFF_MS_MAX);
    if (reason !== this.#reason) this.#warn('peer-unreachable', { reason });
    this.#reason = reason;
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#options.changed();
  }

  #warn(event: string, fields: LogFields): void {
    const { log, address, greeting } = this.#options;
    const peer: NodeId = greeting.peer;
    log.warn(event, { peer, lane: greeting.lane, address, ...fields });
  }
}
