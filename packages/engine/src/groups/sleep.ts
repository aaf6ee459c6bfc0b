// Whether a group sleeps on this node, where it gets no ticks and says nothing while the beats of its leader's node
// stand for heartbeats of its own (docs/decisions/0010, docs/raft.md, pitfall 23). A leader at rest offers sleep, followers
// at rest at the same index take it, and the leader follows once all members that are heard of have. What keeps a
// group asleep is asked again at the end of each turn of it, so whatever is done with a group wakes it.

import { assert } from '@deltabase/base';
import {
  type BasicStatus,
  type HeartbeatMessage,
  type HeartbeatResponseMessage,
  isJoint,
  majorityVote,
  NONE,
  type PeerStatus,
  type RawNode,
  type Status,
} from 'raft-ts';
import type { NodeId } from '../ports.js';

/** What this node knows of the others. */
export interface PeerView {
  /** Whether `peer` was heard of and is not lost. */
  isLive(peer: NodeId): boolean;
  /** For how many ticks nothing was heard of it. */
  silentTicks(peer: NodeId): number;
  /** Whether it says that it is not to be made a leader. */
  isAbstaining(peer: NodeId): boolean;
}

/** Why a group wakes: there is something to do or nothing to rely on, or somebody has said something. */
export type Waking = 'unrest' | 'message' | 'peer-awake' | 'leader-lost' | 'led-astray';

export interface SleepHost {
  readonly self: NodeId;
  readonly raft: Pick<RawNode, 'basicStatus' | 'status' | 'hasReady' | 'tick'>;
  readonly peers: PeerView;
  /** How long nothing happens before a leader offers sleep. */
  readonly idleSleepMs: number;
  /** A follower that wakes gets at most so many of the ticks for which its leader's node was silent. */
  readonly electionTicks: number;
  /** Whether this node tells the others that it is not to be made a leader. */
  abstains(): boolean;
  /** Whether nothing is under way that Raft does not know of, and all up to `index` is in document storage. */
  isAtRest(index: number): boolean;
  fellAsleep(): void;
  woke(why: Waking): void;
  /** Tells the leader, which may sleep, that this follower is awake. */
  tellLeader(message: HeartbeatResponseMessage): void;
}

/** Where a group stands: as soon as anything happens it is another place. */
interface Place {
  readonly lead: NodeId;
  readonly term: number;
  readonly index: number;
}

const NOWHERE: Place = { lead: NONE, term: 0, index: -1 };

export class Sleep {
  readonly #host: SleepHost;
  #isAsleep = false;
  /** Where the group sleeps, or where its leader has been quiet; it offers sleep there only. */
  #place = NOWHERE;
  /** Rounds of reads that the leader had begun, and since when nothing has happened, ms. */
  #rounds = 0;
  #quietSinceMs = 0;
  #isOffering = false;
  /** Something may have made it possible that the leader falls asleep. */
  #hasNews = false;
  /** Peers that sleep at the place of this leader. */
  readonly #sleepers = new Set<NodeId>();
  /** What the next answer to a heartbeat is about, if that offers sleep. */
  #offer: Place | undefined;
  /** The leader that this follower, which woke by itself, has not heard since: it may sleep. */
  #unheard: Place | undefined;

  constructor(host: SleepHost) {
    this.#host = host;
  }

  get isAsleep(): boolean {
    return this.#isAsleep;
  }

  /** A tick has passed. What it was told may be lost, or overtaken by what was said before. */
  tick(): void {
    if (this.#unheard !== undefined) this.#tellLeader(this.#unheard);
  }

  /**
   * Looks now and then whether a leader was at rest for long enough to offer sleep; `rounds` counts the rounds of
   * reads that it has begun.
   */
  look(nowMs: number, rounds: number): void {
    if (this.#isAsleep) return;
    const status = this.#host.raft.basicStatus();
    const isSame = isAt(this.#place, status) && rounds === this.#rounds;
    if (!isSame || !this.#mayOffer(status)) {
      this.#withdraw();
      this.#place = placeOf(status);
      this.#rounds = rounds;
      this.#quietSinceMs = nowMs;
    } else if (nowMs - this.#quietSinceMs >= this.#host.idleSleepMs) {
      this.#isOffering = true;
      this.#hasNews = true;
    }
  }

  /** Whether a heartbeat of this leader offers sleep: to a peer that has the whole log. */
  offers({ commit, match }: HeartbeatMessage): boolean {
    return this.#isOffering && commit === this.#place.index && match === commit;
  }

  /** An answer to a heartbeat of this leader comes; its sender sleeps at `sleepsAt`, or at 0 not at all. */
  answered({ from, term }: HeartbeatResponseMessage, sleepsAt: number): void {
    const { lead, term: ownTerm, index } = this.#place;
    // Of another term: Raft knows what to make of it.
    if (lead !== this.#host.self || term !== ownTerm) return;
    if (this.#isAsleep) {
      if (sleepsAt !== index) this.wake('peer-awake');
    } else if (this.#isOffering && sleepsAt === index) {
      this.#sleepers.add(from);
      this.#hasNews = true;
    } else {
      this.#sleepers.delete(from);
    }
  }

  /** A heartbeat comes. Any but one that offers the sleep which this follower has taken already wakes it. */
  beaten({ from: lead, term, commit: index }: HeartbeatMessage, offersSleep: boolean): void {
    const place = { lead, term, index };
    this.#unheard = undefined;
    if (!offersSleep || !isSamePlace(this.#place, place)) this.heard(lead);
    this.#offer = offersSleep ? place : undefined;
  }

  /**
   * Where this follower sleeps, for its answer to a heartbeat; 0: it does not. If it was offered sleep, it takes it
   * here, unless the heartbeat brought something to do (`isCalm`).
   */
  answer({ isCalm }: { readonly isCalm: boolean }): number {
    const offer = this.#offer;
    this.#offer = undefined;
    if (!this.#isAsleep && isCalm && offer !== undefined && this.#mayTake(offer)) {
      this.#sleepers.clear();
      this.#fallAsleep(offer);
    }
    return this.#isAsleep && this.#place.lead !== this.#host.self ? this.#place.index : 0;
  }

  /** The end of a turn of the group: it wakes if nothing keeps it asleep, or its leader falls asleep if it may. */
  turn(): void {
    if (this.#isAsleep) {
      if (!this.#maySleepOn()) this.wake('unrest');
    } else if (this.#hasNews) {
      this.#hasNews = false;
      if (this.#mayFallAsleep()) this.#fallAsleep(this.#place);
    }
  }

  /** A peer is lost, if only for a moment; what follows from that for a leader comes with the next turn. */
  peerLost(peer: NodeId): void {
    this.#sleepers.delete(peer);
    if (this.#place.lead === peer) this.#wake('leader-lost', { tellsLeader: false });
  }

  /** A message of `peer` comes that is not about sleep. */
  heard(peer: NodeId): void {
    this.#wake('message', { tellsLeader: peer !== this.#place.lead });
  }

  wake(why: Waking): void {
    this.#wake(why, { tellsLeader: true });
  }

  #wake(why: Waking, { tellsLeader }: { readonly tellsLeader: boolean }): void {
    if (!this.#isAsleep) return;
    const { self, raft, peers, electionTicks } = this.#host;
    const place = this.#place;
    const { lead, term } = place;
    const status = raft.basicStatus();
    this.#isAsleep = false;
    this.#withdraw();
    this.#place = NOWHERE;
    this.#host.woke(why);
    if (lead === self || lead !== status.lead || term !== status.term) return;
    if (tellsLeader) this.#tellLeader(place);
    // As if each beat of the leader's node had been a heartbeat of the group.
    const ticks = Math.min(peers.silentTicks(lead), electionTicks);
    for (let tick = 0; tick < ticks; tick++) raft.tick();
  }

  /** Tells the leader that this follower is awake, until it is heard of: else others would hear of none. */
  #tellLeader(place: Place): void {
    const { self, raft, tellLeader } = this.#host;
    const { lead: to, term } = place;
    const status = raft.basicStatus();
    const isLed = status.lead === to && status.term === term;
    this.#unheard = isLed ? place : undefined;
    if (!isLed) return;
    tellLeader({ type: 'heartbeatResponse', from: self, to, term, readRound: 0, damaged: false });
  }

  #fallAsleep(place: Place): void {
    assert(!this.#isAsleep, 'a group falls asleep awake');
    this.#isAsleep = true;
    this.#unheard = undefined;
    this.#isOffering = false;
    this.#place = place;
    this.#host.fellAsleep();
  }

  #withdraw(): void {
    this.#isOffering = false;
    this.#hasNews = false;
    this.#sleepers.clear();
  }

  #mayOffer(status: BasicStatus): boolean {
    return status.role === 'leader' && !this.#host.abstains() && this.#isAtRest(status);
  }

  #mayTake(offer: Place): boolean {
    const { raft } = this.#host;
    const status = raft.basicStatus();
    if (status.role !== 'follower' || !isAt(offer, status)) return false;
    return this.#isLed(offer.lead) && !raft.hasReady() && this.#isAtRest(status);
  }

  /** Whether the leader's node is there, and will speak if it leads no more. */
  #isLed(lead: NodeId): boolean {
    const { peers } = this.#host;
    return peers.isLive(lead) && !peers.isAbstaining(lead);
  }

  #mayFallAsleep(): boolean {
    const { raft } = this.#host;
    const status = raft.status();
    if (!this.#isOffering || !isAt(this.#place, status) || raft.hasReady()) return false;
    if (!this.#mayOffer(status) || isJoint(status.conf)) return false;
    const { index } = this.#place;
    return this.#areAllAsleep(status, (peer) => {
      // Who is heard of when the leader falls asleep is so at its first check of the quorum after that.
      return peer.match === index && peer.state === 'replicate' && peer.recentActive;
    });
  }

  #maySleepOn(): boolean {
    const { raft, self } = this.#host;
    const status = raft.status();
    if (!isAt(this.#place, status) || raft.hasReady() || !this.#isAtRest(status)) return false;
    if (this.#place.lead !== self) return status.role === 'follower' && this.#isLed(status.lead);
    return this.#mayOffer(status) && this.#areAllAsleep(status, () => true);
  }

  /** Whether all members that are heard of sleep and are `fit`, and these are a quorum. */
  #areAllAsleep({ conf, progress }: Status, fit: (peer: PeerStatus) => boolean): boolean {
    const { self, peers } = this.#host;
    for (const peer of progress) {
      // Who is away is brought up to date when it returns, which wakes the group.
      if (peer.id === self || !peers.isLive(peer.id)) continue;
      if (!this.#sleepers.has(peer.id) || peer.damaged || !fit(peer)) return false;
    }
    const isThere = (id: NodeId): boolean => id === self || this.#sleepers.has(id);
    return majorityVote(conf.voters, isThere) === 'won';
  }

  #isAtRest(status: BasicStatus): boolean {
    const { commit, applied, lastIndex, leadTransferee, damaged } = status;
    const isSettled = commit === lastIndex && applied === lastIndex;
    return isSettled && leadTransferee === NONE && !damaged && this.#host.isAtRest(lastIndex);
  }
}

function placeOf({ lead, term, lastIndex }: BasicStatus): Place {
  return { lead, term, index: lastIndex };
}

function isAt({ lead, term, index }: Place, status: BasicStatus): boolean {
  return lead === status.lead && term === status.term && index === status.lastIndex;
}

function isSamePlace(a: Place, b: Place): boolean {
  return a.lead === b.lead && a.term === b.term && a.index === b.index;
}
