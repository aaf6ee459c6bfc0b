// Connections to copies: made when they are used, closed when they have not been for a while. A copy that failed is left alone
// for a while; one that has not answered lately can be asked whether it is there.

import type { ClientLimits } from '../limits.js';
import type { Link, Transport } from '../transport/transport.js';
import type { World } from '../world.js';

export interface CopyLinksOptions {
  readonly world: World;
  readonly limits: Pick<
    ClientLimits,
    'copyLinksMax' | 'copyIdleMs' | 'copyRestMs' | 'copyTimeoutMs'
  >;
  readonly transport: Transport;
}

/** A connection in use. */
export interface CopyUse {
  readonly address: string;
  readonly link: Link;
  /** It has answered. */
  worked(): void;
  /** It has not: nobody should use it for a while. */
  failed(): void;
  /** It is not used any more; to be called once, whatever happened. */
  left(): void;
}

interface Entry {
  readonly address: string;
  readonly link: Link;
  users: number;
  /** When it answered last, and until when it is left alone; ms. */
  workedMs: number;
  restsMs: number;
  /** Whether it is there: while somebody asks. */
  asking: Promise<boolean> | undefined;
  /** Prevents that it is closed. */
  keep: (() => void) | undefined;
}

/** What has answered within this time is there. */
const FRESH_MS = 3000;

export class CopyLinks {
  readonly #options: CopyLinksOptions;
  readonly #entries = new Map<string, Entry>();
  #isClosed = false;

  constructor(options: CopyLinksOptions) {
    this.#options = options;
  }

  /** Connections that there are. */
  get size(): number {
    return this.#entries.size;
  }

  /** Whether a copy may be tried: it has not failed lately, and there is room for a connection to it. */
  mayUse(address: string): boolean {
    if (this.#isClosed) return false;
    const entry = this.#entries.get(address);
    if (entry !== undefined) return this.#options.world.nowMs() >= entry.restsMs;
    if (this.#entries.size < this.#options.limits.copyLinksMax) return true;
    for (const { users } of this.#entries.values()) if (users === 0) return true;
    return false;
  }

  /** Uses the connection to a copy that may be used. */
  use(address: string): CopyUse {
    const entry = this.#entries.get(address) ?? this.#make(address);
    entry.keep?.();
    entry.keep = undefined;
    entry.users++;
    return {
      address,
      link: entry.link,
      worked: () => this.#worked(entry),
      failed: () => this.#failed(entry),
      left: () => this.#left(entry),
    };
  }

  /** Whether a copy is there; a copy that is not is left alone for a while. */
  async isThere(address: string): Promise<boolean> {
    const { world, limits } = this.#options;
    const { workedMs = Number.NEGATIVE_INFINITY } = this.#entries.get(address) ?? {};
    if (world.nowMs() - workedMs <= FRESH_MS) return this.mayUse(address);
    const use = this.use(address);
    const entry = this.#entries.get(address)!;
    try {
      entry.asking ??= use.link
        .call('GetReplicaStatus', {}, { timeoutMs: limits.copyTimeoutMs })
        .then(
          () => true,
          () => false,
        );
      const isThere = await entry.asking;
      if (isThere) use.worked();
      else use.failed();
      return isThere;
    } finally {
      entry.asking = undefined;
      use.left();
    }
  }

  /** Closes all of them. */
  close(): void {
    this.#isClosed = true;
    for (const entry of [...this.#entries.values()]) this.#drop(entry);
  }

  #make(address: string): Entry {
    const { transport, limits } = this.#options;
    if (this.#entries.size >= limits.copyLinksMax) {
      for (const entry of this.#entries.values()) {
        if (entry.users > 0) continue;
        this.#drop(entry);
        break;
      }
    }
    const entry: Entry = {
      ...{ address, users: 0, asking: undefined, keep: undefined },
      link: transport.link(address),
      workedMs: Number.NEGATIVE_INFINITY,
      restsMs: Number.NEGATIVE_INFINITY,
    };
    this.#entries.set(address, entry);
    return entry;
  }

  #worked(entry: Entry): void {
    entry.workedMs = this.#options.world.nowMs();
  }

  #failed(entry: Entry): void {
    entry.workedMs = Number.NEGATIVE_INFINITY;
    entry.restsMs = this.#options.world.nowMs() + this.#options.limits.copyRestMs;
  }

  #left(entry: Entry): void {
    entry.users--;
    if (entry.users > 0 || this.#isClosed) return;
    const { world, limits } = this.#options;
    entry.keep = world.after(limits.copyIdleMs, () => this.#drop(entry));
  }

  #drop(entry: Entry): void {
    entry.keep?.();
    this.#entries.delete(entry.address);
    entry.link.close();
  }
}
