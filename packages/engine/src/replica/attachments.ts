// A replica offers itself to all processes that may have hot documents: its upstreams, and the nodes that these tell it of.
// Each orders copies of documents; the replica keeps what any of them has ordered, and reports on it. What was ordered
// stays for a while when its orderer is lost: it may come back, and readers may be there.

import { DocumentMap } from '../documents/document-map.js';
import type { DocumentName } from '../documents/document-name.js';
import type { Clock, Log, Random } from '../ports.js';
import type {
  AttachLink,
  AttachListener,
  CopyReport,
  ReplicaPlace,
  Upstreams,
} from './replica-ports.js';

export interface AttachmentsHost {
  readonly place: ReplicaPlace;
  /** host:port to begin with. */
  readonly addresses: readonly string[];
  readonly upstreams: Pick<Upstreams, 'attach'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly random: Random;
  readonly log: Log;
  /** Processes that it offers itself to at once. */
  readonly attachmentsMax: number;
  /** Documents that one of them may order. */
  readonly ordersMax: number;
  inTurn(step: () => void): void;
  hold(name: DocumentName): void;
  release(name: DocumentName): void;
  /** What is to be said of a document. */
  reportOf(name: DocumentName): CopyReport;
}

/** One process that it offers itself to. */
interface Attachment {
  readonly address: string;
  /** What it has ordered. */
  readonly orders: DocumentMap<DocumentName>;
  link: AttachLink | undefined;
  /** Since when there is no link, ms. */
  lostMs: number;
  /** When it is tried again, ms. */
  dueMs: number;
  failures: number;
  /** When anybody last said that it is there; a configured one always is. */
  toldMs: number;
}

const REPORT_MS = 500;
/** Between two attempts; half of it is left to chance. */
const RETRY_MS_MIN = 200;
const RETRY_MS_MAX = 5000;
/** So long orders of a process last that is lost. */
const ORDERS_MS = 10_000;
/** So long a node is tried that nobody speaks of any more. */
const FORGET_MS = 60_000;

export class Attachments {
  readonly #host: AttachmentsHost;
  readonly #all = new Map<string, Attachment>();
  /** How many have ordered a document. */
  readonly #ordered = new DocumentMap<number>();
  #reportedMs = Number.NEGATIVE_INFINITY;

  constructor(host: AttachmentsHost) {
    this.#host = host;
    for (const address of host.addresses) this.#add(address, Number.POSITIVE_INFINITY);
  }

  /** Processes that it is attached to. */
  get count(): number {
    let count = 0;
    for (const { link } of this.#all.values()) if (link !== undefined) count++;
    return count;
  }

  /** Documents that were ordered. */
  get orders(): number {
    return this.#ordered.size;
  }

  tick(nowMs: number): void {
    for (const attachment of this.#all.values()) {
      if (attachment.link === undefined) this.#tickLost(attachment, nowMs);
      else attachment.toldMs = Math.max(attachment.toldMs, nowMs);
    }
    if (nowMs - this.#reportedMs < REPORT_MS) return;
    this.#reportedMs = nowMs;
    for (const { link, orders } of this.#all.values()) {
      link?.report([...orders.values()].map((name) => this.#host.reportOf(name)));
    }
  }

  close(): void {
    for (const { link } of this.#all.values()) link?.close();
    this.#all.clear();
  }

  #add(address: string, toldMs: number): void {
    const known = this.#all.get(address);
    if (known !== undefined) {
      known.toldMs = Math.max(known.toldMs, toldMs);
      return;
    }
    if (this.#all.size >= this.#host.attachmentsMax) {
      this.#host.log.warn('too-many-nodes', { address, attachmentsMax: this.#host.attachmentsMax });
      return;
    }
    const nowMs = this.#host.clock.monotonicMs();
    this.#all.set(address, {
      ...{ address, toldMs },
      orders: new DocumentMap(),
      link: undefined,
      lostMs: nowMs,
      dueMs: nowMs,
      failures: 0,
    });
  }

  #tickLost(attachment: Attachment, nowMs: number): void {
    if (nowMs - attachment.lostMs > ORDERS_MS) this.#lapse(attachment);
    if (nowMs - attachment.toldMs > FORGET_MS) this.#all.delete(attachment.address);
    else if (nowMs >= attachment.dueMs) this.#attach(attachment);
  }

  #attach(attachment: Attachment): void {
    const { upstreams, place } = this.#host;
    const when = (step: () => void): void =>
      this.#host.inTurn(() => {
        if (attachment.link === link) step();
      });
    const listener: AttachListener = {
      ordered: (hold, release) => when(() => this.#ordersFrom(attachment, hold, release)),
      nodes: (addresses) => when(() => this.#nodes(attachment, addresses)),
      closed: (why) => when(() => this.#lost(attachment, why.message)),
    };
    const link = upstreams.attach(attachment.address, place, listener);
    attachment.link = link;
    // What it ordered in an earlier life of the link it orders again, or not.
    this.#lapse(attachment);
  }

  #ordersFrom(
    attachment: Attachment,
    hold: readonly DocumentName[],
    release: readonly DocumentName[],
  ): void {
    attachment.failures = 0;
    for (const name of release) this.#release(attachment, name);
    for (const name of hold) {
      const { orders } = attachment;
      if (orders.get(name) !== undefined || orders.size >= this.#host.ordersMax) continue;
      orders.set(name, name);
      this.#ordered.set(name, (this.#ordered.get(name) ?? 0) + 1);
      this.#host.hold(name);
    }
    // Whoever ordered a copy waits to hear that it is there.
    this.#reportedMs = Number.NEGATIVE_INFINITY;
  }

  #nodes(attachment: Attachment, addresses: readonly string[]): void {
    attachment.failures = 0;
    const nowMs = this.#host.clock.monotonicMs();
    for (const address of addresses) this.#add(address, nowMs);
  }

  #lost(attachment: Attachment, reason: string): void {
    const { clock, log, random } = this.#host;
    const nowMs = clock.monotonicMs();
    log.debug('detached', { from: attachment.address, reason });
    attachment.link?.close();
    attachment.link = undefined;
    attachment.lostMs = nowMs;
    const ms = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(attachment.failures, 10));
    attachment.failures++;
    attachment.dueMs = nowMs + ms * (0.5 + random.next() / 2 ** 33);
  }

  #lapse(attachment: Attachment): void {
    for (const name of [...attachment.orders.values()]) this.#release(attachment, name);
  }

  #release({ orders }: Attachment, name: DocumentName): void {
    if (!orders.delete(name)) return;
    const left = this.#ordered.get(name)! - 1;
    if (left > 0) {
      this.#ordered.set(name, left);
      return;
    }
    this.#ordered.delete(name);
    this.#host.release(name);
  }
}
