// Keeps live copies current over one connection to an upstream, and goes to another one when it ends, falls silent,
// or leads nowhere. Copies go on behind the seq that they have; only where that history is gone a state comes anew.

import type { Limits } from '@deltabase/base';
import { hashText, type Version } from '@deltabase/delta';
import type { TailDelta } from '../documents/tail.js';
import type { Expiring } from '../expiring.js';
import type { Clock, Log, Random } from '../ports.js';
import { type Failure, failure } from '../results.js';
import type { ReadDeltas } from '../streams/document-source.js';
import type { HeadSeqs } from '../streams/heads.js';
import type { StatePiece } from '../streams/state-pieces.js';
import { type Confirmation, Confirming, DOUBTFUL_MS, type OpenQuestion } from './confirming.js';
import type { LiveCopy, Taken } from './live-copy.js';

import type { Upstream, UpstreamListener, Upstreams } from './replica-ports.js';

export interface FollowingHost {
  /** This replica's name, by which it knows itself in a circle. */
  readonly name: string;
  /** host:port of upstreams, at least one. */
  readonly addresses: readonly string[];
  readonly limits: Limits;
  readonly upstreams: Upstreams;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  inTurn(step: () => void): void;
  wake(): void;
  /** Every copy that is kept. */
  all(): Iterable<LiveCopy>;
  /** Something of it is another one: its state, or who must be told. */
  changed(copy: LiveCopy): void;
  /** It cannot be kept: it is to be dropped, and whoever uses it told why. */
  failed(copy: LiveCopy, why: Failure): void;
  /** It holds less than before, or another history: whoever watches it must begin anew. */
  reset(copy: LiveCopy, why: Failure): void;
  /** There has been no way to a node for a while: whoever waits for an answer is told. Called again and again. */
  unreachable(why: Failure): void;
  /** There has been no way to a node for long: whoever watches must go elsewhere. Called again and again. */
  cutOff(why: Failure): void;
  originChanged(): void;
}

/** A connection from its beginning to its end. */
interface Connection {
  readonly address: string;
  readonly upstream: Upstream;
  readonly openedMs: number;
  readonly byId: Map<number, LiveCopy>;
  /** It leads to a node, and not back here. */
  isLive: boolean;
  lastId: number;
  /** When heads last came of it. */
  headsMs: number;
  /** Times that something did not fit. */
  unfit: number;
}

/** Without a way to a node for so long, another upstream is tried. */
const OPEN_MS = 3000;
/** No question is answered for so long, or none with any head: the upstream has lost the cluster, or itself. */
const SILENT_MS = 3000;
/**
 * Without a way to a node for so long nobody is kept waiting for an answer: another process may have it. Going to the next
 * upstream takes less, unless one hangs (OPEN_MS).
 */
const ANSWER_MS = 3000;
/** Without a way to a node for so long nobody is kept waiting for news: going round some upstreams takes less. */
const CUT_OFF_MS = 10_000;
/** Between two rounds over all upstreams; half of it is left to chance. */
const ROUND_MS_MIN = 100;
const ROUND_MS_MAX = 3000;
/** So often something may not fit before another upstream is tried. */
const UNFIT_MAX = 3;
/** Looks, one a second, after which a copy that does not come to where it should be begins anew. */
const STUCK_LOOKS = 10;
/** How old it may become what is known of copies in use. */
const REFRESH_MS = 1000;
const IN_USE_MS = 5000;

export class Following {
  readonly #host: FollowingHost;
  readonly #confirming: Confirming;
  #at: number;
  #connection: Connection | undefined;
  /** Upstreams that failed one after the other. */
  #failures = 0;
  #via: readonly string[] = [];
  #refreshedMs = Number.NEGATIVE_INFINITY;
  /** When there last was a way to a node. */
  #liveMs: number;
  #isClosed = false;
  /** Times that it went to an upstream, and times that a copy began anew. */
  readonly counters = { connections: 0, resyncs: 0 };

  constructor(host: FollowingHost) {
    this.#host = host;
    this.#liveMs = host.clock.monotonicMs();
    this.#at = host.random.next() % host.addresses.length;
    this.#confirming = new Confirming({
      limits: host.limits,
      nowMs: () => host.clock.monotonicMs(),
      ask: (number, ids, timeoutMs) => this.#ask(number, ids, timeoutMs),
      wake: () => host.wake(),
    });
    this.#connect();
  }

  /** host:port of the present upstream; `undefined`: none leads to a node. */
  get upstream(): string | undefined {
    return this.#connection?.isLive ? this.#connection.address : undefined;
  }

  /** The replicas between this one and the cluster, the next one first. */
  get via(): readonly string[] {
    return this.#via;
  }

  /** Begins to keep a copy current. */
  follow(copy: LiveCopy): void {
    if (this.#connection?.isLive) this.#watch(this.#connection, copy);
  }

  /** Keeps it current no more; `why` is for whoever waits for it. */
  unfollow(copy: LiveCopy, why: Failure | undefined): void {
    this.#confirming.dropped(copy, why);
    const { id } = copy;
    copy.id = 0;
    if (id === 0 || this.#connection === undefined) return;
    this.#connection.byId.delete(id);
    this.#connection.upstream.unwatch(id);
  }

  /** Calls `done` once everything is in `copy` that was committed when this was called, if that is by `expiresMs`. */
  confirm(copy: LiveCopy, expiresMs: number, done: (outcome: Confirmation) => void): Expiring {
    return this.#confirming.request(copy, expiresMs, done);
  }

  /** Something of `copy` has come. */
  applied(copy: LiveCopy): void {
    this.#confirming.changed(copy);
  }

  /** Deltas that a copy does not hold any more, from where they are. */
  readDeltas(
    copy: LiveCopy,
    fromSeq: number,
    bytesMax: number,
    done: (read: ReadDeltas | Failure) => void,
  ): void {
    const connection = this.#connection;
    if (connection === undefined || !connection.isLive) {
      done(failure('UNAVAILABLE', 'this replica has no upstream now: watch elsewhere'));
      return;
    }
    connection.upstream.readDeltas(copy, { fromSeq, bytesMax }, (deltas) =>
      this.#host.inTurn(() => {
        if ('code' in deltas) done(deltas);
        else if (deltas[0]?.seq === fromSeq) done({ kind: 'deltas', deltas });
        else done(failure('HISTORY_GONE', `the deltas from seq ${fromSeq} on are not to be had`));
      }),
    );
  }

  turn(): void {
    this.#confirming.turn();
  }

  tick(nowMs: number): void {
    this.#confirming.tick(nowMs);
    const connection = this.#connection;
    if (connection?.isLive) this.#liveMs = nowMs;
    else this.#tellCutOff(nowMs - this.#liveMs);
    if (connection === undefined) return;
    const { askedMs } = this.#confirming;
    if (!connection.isLive && nowMs - connection.openedMs > OPEN_MS) {
      this.#leave('leads to no node');
    } else if (askedMs !== undefined && nowMs - askedMs > SILENT_MS) {
      this.#leave('does not answer');
    } else if (nowMs - this.#refreshedMs >= REFRESH_MS) {
      this.#refreshedMs = nowMs;
      this.#refresh(connection, nowMs);
    }
  }

  /** Tells those who wait, once there has been no way to a node for too long. */
  #tellCutOff(cutOffMs: number): void {
    if (cutOffMs <= ANSWER_MS) return;
    const why = cutOff();
    // A copy without a state is none. Where nobody waits, the state may come later.
    for (const copy of this.#host.all()) {
      const isAwaited = copy.watches > 0 || copy.waiting.length > 0;
      if (copy.document === undefined && isAwaited) this.#host.failed(copy, why);
    }
    this.#confirming.cutOff(why);
    this.#host.unreachable(why);
    if (cutOffMs > CUT_OFF_MS) this.#host.cutOff(why);
  }

  close(): void {
    this.#isClosed = true;
    this.#connection?.upstream.close();
    this.#connection = undefined;
  }

  #connect(): void {
    if (this.#isClosed || this.#connection !== undefined) return;
    const { addresses, upstreams, clock } = this.#host;
    const address = addresses[this.#at % addresses.length]!;
    const isThis = (): boolean => this.#connection === connection;
    const when = (step: () => void): void =>
      this.#host.inTurn(() => {
        if (isThis()) step();
      });
    const listener: UpstreamListener = {
      origin: (via, live) => when(() => this.#origin(connection, via, live)),
      state: (id, seq, piece, hash) =>
        when(() =>
          this.#take(connection, id, (copy) => this.#state(connection, copy, { seq, piece, hash })),
        ),
      delta: (id, delta) =>
        when(() => this.#take(connection, id, (copy) => this.#delta(copy, delta))),
      ended: (id, why) => when(() => this.#ended(connection, id, why)),
      heads: (number, seqs) => when(() => this.#heads(connection, number, seqs)),
      closed: (why) => when(() => this.#leave(why.message)),
    };
    const connection: Connection = {
      address,
      upstream: upstreams.connect(address, listener),
      openedMs: clock.monotonicMs(),
      byId: new Map(),
      isLive: false,
      lastId: 0,
      headsMs: Number.NEGATIVE_INFINITY,
      unfit: 0,
    };
    this.#connection = connection;
    this.counters.connections++;
  }

  #origin(connection: Connection, via: readonly string[], live: boolean): void {
    const { name, log } = this.#host;
    if (via.includes(name)) {
      log.warn('upstream-circle', { upstream: connection.address });
      this.#leave('leads back here');
      return;
    }
    const wasLive = connection.isLive;
    connection.isLive = live;
    this.#via = via;
    if (wasLive && !live) {
      this.#leave('has lost its own upstream');
      return;
    }
    if (live && !wasLive) {
      log.info('upstream', { upstream: connection.address });
      for (const copy of this.#host.all()) if (copy.id === 0) this.#watch(connection, copy);
    }
    this.#host.originChanged();
  }

  #watch(connection: Connection, copy: LiveCopy): void {
    this.#watchFrom(connection, copy, copy.document === undefined ? undefined : copy.seq);
  }

  #watchFrom(connection: Connection, copy: LiveCopy, afterSeq: number | undefined): void {
    const id = ++connection.lastId;
    copy.id = id;
    copy.askedMs = this.#host.clock.monotonicMs();
    copy.awaitsState = afterSeq === undefined;
    copy.forgetPieces();
    connection.byId.set(id, copy);
    connection.upstream.watch(id, copy, afterSeq);
  }

  #take(connection: Connection, id: number, take: (copy: LiveCopy) => Taken): void {
    // What was on its way when a watch was ended still comes.
    const copy = connection.byId.get(id);
    if (copy === undefined) return;
    const taken = take(copy);
    if (taken === 'begun') return;
    if (taken === 'unfit') {
      this.#resync(connection, copy);
      return;
    }
    copy.refusals = 0;
    this.#host.changed(copy);
    copy.settle(undefined);
  }

  #state(connection: Connection, copy: LiveCopy, { seq, piece, hash }: StatePiece): Taken {
    const before = copy.document?.committed;
    const taken = copy.takePiece(seq, piece, hash);
    if (taken !== 'taken') return taken;
    if (before !== undefined && !mayFollow(before, copy.document!.committed)) {
      const why = `the cluster has lost what it had said: the document was at ${before.seq}`;
      const { space, key } = copy;
      this.#host.log.error('copy-went-back', { upstream: connection.address, space, key, seq });
      copy.forgetFreshness();
      this.#host.reset(copy, failure('UNAVAILABLE', why));
    }
    // A watch begins with what its leader had committed after it was asked for.
    copy.isFreshAt(seq, copy.askedMs);
    return taken;
  }

  #delta(copy: LiveCopy, delta: TailDelta): Taken {
    return copy.takeDelta(delta);
  }

  /** What came does not lead on from what is here: a state must come (StateIsFold). */
  #resync(connection: Connection, copy: LiveCopy): void {
    const { space, key, seq, id } = copy;
    this.#host.log.error('copy-unfit', { upstream: connection.address, space, key, seq });
    if (this.#isUnfit(connection)) {
      this.#leave('gives what does not fit');
      return;
    }
    connection.byId.delete(id);
    connection.upstream.unwatch(id);
    this.#watchAnew(connection, copy);
  }

  /** One thing more does not fit. Whether it is one too many. */
  #isUnfit(connection: Connection): boolean {
    return ++connection.unfit > UNFIT_MAX;
  }

  #watchAnew(connection: Connection, copy: LiveCopy): void {
    this.counters.resyncs++;
    this.#watchFrom(connection, copy, undefined);
  }

  #ended(connection: Connection, id: number, why: Failure): void {
    const copy = connection.byId.get(id);
    if (copy === undefined) return;
    connection.byId.delete(id);
    copy.id = 0;
    const hasState = copy.document !== undefined;
    // Behind the seq of the copy there is nothing to go on with: it is gone, or never was.
    const isElsewhere = why.code === 'HISTORY_GONE' || why.code === 'INVALID_ARGUMENT';
    if (hasState && isElsewhere) {
      this.#watchAnew(connection, copy);
      return;
    }
    if (why.code === 'OVERLOADED') {
      this.#refused(copy, why);
      return;
    }
    const isLost = why.code === 'UNAVAILABLE';
    if (!isLost || !hasState) this.#host.failed(copy, why);
    if (isLost) this.#leave(why.message);
  }

  /** An upstream has no room for a copy: another one may have; but where none has, all others must not suffer for it. */
  #refused(copy: LiveCopy, why: Failure): void {
    copy.refusals++;
    const isRefusedByAll = copy.refusals >= this.#host.addresses.length;
    if (copy.document === undefined || isRefusedByAll) this.#host.failed(copy, why);
    else this.#leave(why.message);
  }

  #heads(connection: Connection, number: number, seqs: HeadSeqs | Failure): void {
    const nowMs = this.#host.clock.monotonicMs();
    const question = this.#confirming.question(number);
    if (this.#confirming.answered(number, seqs)) {
      this.#failures = 0;
      connection.headsMs = nowMs;
      return;
    }
    if (!('code' in seqs)) return;
    const isInVain = question !== undefined && this.#isInVain(connection, question, nowMs);
    if (seqs.code === 'UNAVAILABLE' && isInVain) return;
    // A watch may have ended while it was asked about.
    if (seqs.code !== 'INVALID_ARGUMENT' || this.#isUnfit(connection)) this.#leave(seqs.message);
  }

  /** It has waited for the leader of some group in vain: others may have one. Who refuses at once has lost them all. */
  #isInVain({ headsMs }: Connection, { sentMs, timeoutMs }: OpenQuestion, nowMs: number): boolean {
    if (nowMs - sentMs < timeoutMs / 2) return false;
    return timeoutMs < DOUBTFUL_MS || nowMs - headsMs <= SILENT_MS;
  }

  #ask(number: number, ids: readonly number[], timeoutMs: number): boolean {
    if (!this.#connection?.isLive) return false;
    this.#connection.upstream.askHeads(number, ids, timeoutMs);
    return true;
  }

  /** Goes to the next upstream, after a pause if all have failed. */
  #leave(reason: string): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    const { address, upstream, byId, isLive } = connection;
    this.#logEnd(address, reason, isLive);
    if (isLive) this.#liveMs = this.#host.clock.monotonicMs();
    this.#connection = undefined;
    upstream.close();
    for (const copy of byId.values()) copy.id = 0;
    this.#confirming.lost();
    this.#via = [];
    this.#at++;
    this.#failures++;
    this.#host.originChanged();
    this.#host.clock.after(this.#pauseMs(), () => this.#host.inTurn(() => this.#connect()));
  }

  /** One line for each upstream that is lost, and one when there is none left; not for each attempt. */
  #logEnd(upstream: string, reason: string, wasLive: boolean): void {
    const { log, addresses } = this.#host;
    if (wasLive) log.warn('upstream-left', { upstream, reason });
    else log.debug('upstream-failed', { upstream, reason });
    if (this.#failures + 1 === addresses.length) log.error('no-upstream', { upstream, reason });
  }

  #pauseMs(): number {
    const { addresses, random } = this.#host;
    const rounds = Math.floor(this.#failures / addresses.length);
    if (rounds === 0) return 0;
    const ms = Math.min(ROUND_MS_MAX, ROUND_MS_MIN * 2 ** Math.min(rounds, 10));
    return ms * (0.5 + random.next() / 2 ** 33);
  }

  /** Learns how fresh the copies are that somebody uses; so it is noticed too if the upstream has lost the cluster. */
  #refresh(connection: Connection, nowMs: number): void {
    for (const copy of this.#host.all()) {
      // Nothing says that something was lost on its way, if nothing comes behind it.
      if (copy.lookWhetherStuck() >= STUCK_LOOKS && copy.id !== 0) this.#resync(connection, copy);
      if (this.#connection !== connection) return;
      const isInUse = copy.watches > 0 || nowMs - copy.usedMs < IN_USE_MS;
      if (isInUse && nowMs - copy.freshMs >= REFRESH_MS) this.#confirming.refresh(copy);
    }
  }
}

function cutOff(): Failure {
  const why = 'this replica has no way to the cluster now: use another process';
  return failure('UNAVAILABLE', why, { staleOnly: true });
}

/** Whether a document that was at `before` may be at `after` some time later. */
function mayFollow(before: Version, after: Version): boolean {
  if (after.seq !== before.seq) return after.seq > before.seq;
  return hashText(after.root) === hashText(before.root);
}
