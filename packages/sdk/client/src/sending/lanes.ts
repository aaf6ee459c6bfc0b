// The lanes of a client: which document has unanswered messages, on which stream they go, and when. The rules
// of order are those of one lane (lane.ts); this drives them with streams and time.

import { assert } from '@deltabase/base';
import { pauseMs } from '../backoff.js';
import type { ClientLimits } from '../limits.js';
import type { World } from '../world.js';
import { Lane } from './lane.js';
import type { NodeStream } from './node-stream.js';
import type { Outgoing } from './outgoing.js';
import { Rests } from './rests.js';
import type { Ways } from './ways.js';

export type DocumentLane = Lane<NodeStream>;

/** A round that only found messages out of order is repeated at once, so many times in a row. */
const ROUNDS_WITHOUT_PAUSE = 2;

export class Lanes {
  readonly #world: World;
  readonly #limits: ClientLimits;
  readonly #ways: Ways;
  readonly #lanes = new Map<string, DocumentLane>();
  /** Lanes without a way to go. */
  readonly #parked = new Set<DocumentLane>();
  readonly #rests: Rests<DocumentLane>;

  constructor(world: World, limits: ClientLimits, ways: Ways) {
    this.#world = world;
    this.#limits = limits;
    this.#ways = ways;
    this.#rests = new Rests(world, (lane) => this.#resume(lane));
  }

  /** Documents with unanswered messages. */
  get size(): number {
    return this.#lanes.size;
  }

  /** Puts a numbered message into its lane and sends it as soon as may be. */
  add(message: Outgoing): void {
    const { space, key, name } = message.target;
    let lane = this.#lanes.get(name);
    if (lane === undefined) {
      lane = new Lane(name, this.#ways.groupOf(space, key));
      this.#lanes.set(name, lane);
    }
    message.lane = lane;
    lane.add(message);
    this.#pump(lane);
  }

  /** A copy of `message` is not in flight any more. */
  takeBack(message: Outgoing): DocumentLane {
    const lane = message.lane as DocumentLane;
    assert(message.inFlight && lane.inFlight > 0, 'what comes back was sent');
    message.inFlight = false;
    message.written = false;
    lane.inFlight--;
    return lane;
  }

  /** After something came back, or was given up. */
  goOn(lane: DocumentLane): void {
    if (lane.isEmpty) this.#drop(lane);
    else if (lane.broken && lane.inFlight === 0 && !lane.resting) this.#endRound(lane);
    else this.#pump(lane);
  }

  /** A way has opened. */
  waysOpened(): void {
    const parked = [...this.#parked];
    this.#parked.clear();
    for (const lane of parked) this.#resume(lane);
  }

  /** Sends nothing again. */
  close(): void {
    this.#rests.close();
  }

  /** Everything has come back: it goes again, after a pause if time may help. */
  #endRound(lane: DocumentLane): void {
    const restMs = this.#restOf(lane);
    lane.needsRest = false;
    lane.retryAfterMs = 0;
    if (restMs === 0) {
      this.#resume(lane);
    } else {
      lane.resting = true;
      this.#rests.add(lane, restMs);
    }
  }

  #restOf(lane: DocumentLane): number {
    // Answered questions are a step forward.
    if (lane.asking && !lane.needsRest) return 0;
    lane.attempt++;
    if (!lane.needsRest && lane.attempt <= ROUNDS_WITHOUT_PAUSE) return 0;
    const { retryMsMin: minMs, retryMsMax: maxMs } = this.#limits;
    const random = this.#world.random();
    return Math.max(pauseMs(lane.attempt, { minMs, maxMs }, random), lane.retryAfterMs);
  }

  #resume(lane: DocumentLane): void {
    lane.resting = false;
    if (lane.first === undefined) return;
    if (!lane.broken) {
      this.#pump(lane);
      return;
    }
    assert(lane.inFlight === 0, 'a broken lane goes on when everything is back');
    const questions = lane.questions();
    if (questions.length === 0) {
      lane.startOver();
      this.#pump(lane);
      return;
    }
    const stream = this.#wayOf(lane);
    if (stream === undefined) return;
    for (const message of questions) {
      lane.ask(message);
      transmit(message, lane, stream);
    }
  }

  /** Sends what may be sent now. */
  #pump(lane: DocumentLane): void {
    if (lane.broken || lane.resting || lane.unsent === undefined) return;
    const stream = lane.inFlight > 0 ? this.#streamInUse(lane) : this.#wayOf(lane);
    if (stream === undefined) return;
    for (let next = lane.takeUnsent(); next !== undefined; next = lane.takeUnsent()) {
      transmit(next, lane, stream);
    }
  }

  /** The stream that a lane with something in flight is on; `undefined` if it should leave it first. */
  #streamInUse(lane: DocumentLane): NodeStream | undefined {
    const straight = this.#ways.straight(lane.group);
    return straight === undefined || straight === lane.stream ? lane.stream : undefined;
  }

  /** The way for a lane with nothing in flight. Without any, it is parked. */
  #wayOf(lane: DocumentLane): NodeStream | undefined {
    this.#findGroup(lane);
    const { group, attempt } = lane;
    const stream = this.#ways.straight(group) ?? this.#ways.any(group, attempt);
    lane.stream = stream;
    if (stream === undefined) {
      lane.resting = true;
      this.#parked.add(lane);
    }
    return stream;
  }

  /** It may have begun when no node had said how many groups there are. */
  #findGroup(lane: DocumentLane): void {
    if (lane.group !== 0 || lane.first === undefined) return;
    const { space, key } = lane.first.target;
    lane.group = this.#ways.groupOf(space, key);
  }

  #drop(lane: DocumentLane): void {
    this.#parked.delete(lane);
    this.#lanes.delete(lane.name);
  }
}

function transmit(message: Outgoing, lane: DocumentLane, stream: NodeStream): void {
  assert(!message.inFlight, 'one copy of a message is in flight at a time');
  message.inFlight = true;
  message.written = false;
  lane.inFlight++;
  stream.send(message);
}
