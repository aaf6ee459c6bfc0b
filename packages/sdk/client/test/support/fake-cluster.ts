// A cluster in memory that misbehaves on purpose: frames take time, streams break with anything in either
// direction lost, nodes die and come back, leaders change in the middle of a frame, nodes forward to who they
// believe leads, queues are full. The transport of a client under test leads to it.

import { DeltabaseError } from '@deltabase/base';
import { groupOf, type Message } from '@deltabase/machine';
import type {
  Link,
  SendStream,
  SendStreamListener,
  Transport,
} from '../../src/transport/transport.js';
import type { WireMessage, WireSession } from '../../src/transport/wire.js';
import { FakeGroup, type FakeResult, type FakeSubmission, failure, LOST } from './fake-group.js';
import type { VirtualWorld } from './virtual-world.js';

export interface FakeClusterOptions {
  readonly nodes: number;
  readonly groups: number;
}

/** How often things go wrong: each a chance in 1000, per message or frame. */
export interface Weather {
  overload: number;
  staleBelief: number;
  /** Frames of a stream that has broken which its node, having stood still, handles after that. */
  lateFrames: number;
  delayMsMax: number;
}

interface FakeNode {
  isUp: boolean;
  readonly streams: Set<FakeStream>;
}

export class FakeCluster implements Transport {
  readonly weather: Weather = { overload: 0, staleBelief: 0, lateFrames: 0, delayMsMax: 3 };
  readonly groups: FakeGroup[];
  readonly #world: VirtualWorld;
  readonly #nodes = new Map<number, FakeNode>();
  /** When the last thing on a way from node to node arrives: they stay in order. */
  readonly #arrivals = new Map<string, number>();
  /** Frames written by clients. */
  frames = 0;
  /** Copies of each message that came to a node, by its token. */
  readonly copies = new Map<string, number>();
  /** The most messages in one of them. */
  framePeak = 0;

  constructor(world: VirtualWorld, { nodes, groups }: FakeClusterOptions) {
    this.#world = world;
    this.groups = Array.from({ length: groups + 1 }, () => new FakeGroup(world));
    for (let id = 1; id <= nodes; id++) this.#nodes.set(id, { isUp: true, streams: new Set() });
    for (const [group, fake] of this.groups.entries()) fake.leader = 1 + (group % nodes);
  }

  get nodes(): number[] {
    return [...this.#nodes.keys()];
  }

  get addresses(): string[] {
    return this.nodes.map(addressOf);
  }

  isUp(node: number): boolean {
    return this.#nodes.get(node)!.isUp;
  }

  /** Every committed token of a document. */
  tokens(space: string, key: string): readonly string[] {
    return this.groupFor(space, key).documents.get(`${space}/${key}`) ?? [];
  }

  groupFor(space: string, key: string): FakeGroup {
    return this.groups[groupOf(space, key, this.groups.length - 1)]!;
  }

  link(address: string): Link {
    const node = Number(address.split(':')[1]) - 7000;
    return {
      openSendStream: (listener) => this.#openStream(node, listener),
      call: (name) => this.#call(node, name) as never,
      stream: () => {
        throw new DeltabaseError('INTERNAL', 'the fake has no streams but that of messages');
      },
      close: () => {},
    };
  }

  // What goes wrong.

  /** Breaks every stream to `node`; what is on its way in either direction is lost. */
  breakStreams(node: number): void {
    for (const stream of [...this.#nodes.get(node)!.streams]) stream.break('the stream broke');
  }

  /** Makes `to` the leader of a group, after a while without one. */
  moveLeader(group: number, to: number, afterMs: number): void {
    const fake = this.groups[group]!;
    if (fake.leader === 0) return;
    const from = fake.leader;
    const survivors = this.#world.below(fake.pendingCount + 1);
    const unexecuted = fake.endLeadership(survivors, !this.isUp(from));
    this.#tellRoutes(group);
    this.#elect(group, to, afterMs);
    for (const submission of unexecuted)
      this.#world.soon(() => this.#pass(from, group, submission));
  }

  /** Kills a node; it is back after `downMs`. Its groups get other leaders. */
  kill(node: number, downMs: number): void {
    const state = this.#nodes.get(node)!;
    if (!state.isUp) return;
    state.isUp = false;
    this.breakStreams(node);
    for (const [group, fake] of this.groups.entries()) {
      if (fake.leader !== node) continue;
      fake.endLeadership(this.#world.below(fake.pendingCount + 1), true);
      this.#elect(group, 1 + this.#world.below(this.#nodes.size), 20 + downMs / 2);
    }
    this.#world.after(downMs, () => {
      state.isUp = true;
    });
  }

  #elect(group: number, node: number, afterMs: number): void {
    this.#world.after(afterMs, () => {
      const fake = this.groups[group]!;
      if (fake.leader !== 0) return;
      const up = this.isUp(node) ? node : this.nodes.find((other) => this.isUp(other));
      if (up === undefined) {
        this.#elect(group, node, 20);
        return;
      }
      fake.leader = up;
      this.#tellRoutes(group);
    });
  }

  // Streams.

  #openStream(node: number, listener: SendStreamListener): SendStream {
    const stream = new FakeStream(this.#world, this.weather, listener, {
      closed: () => this.#nodes.get(node)!.streams.delete(stream),
      received: (session, messages, isLate) =>
        this.#received(node, { stream, session, messages, isLate }),
    });
    this.#world.after(1 + this.#world.below(5), () => {
      if (!stream.isOpen) return;
      if (!this.isUp(node)) {
        stream.break(`${addressOf(node)} refuses`);
        return;
      }
      this.#nodes.get(node)!.streams.add(stream);
      stream.tell((to) => {
        to.opened(this.groups.length - 1);
        for (let group = 1; group < this.groups.length; group++) this.#tellRoute(to, group);
      });
    });
    return stream;
  }

  #received(node: number, { stream, session, messages, isLate }: FakeFrame): void {
    this.frames++;
    this.framePeak = Math.max(this.framePeak, messages.length);
    for (const wire of messages) {
      const { token } = JSON.parse(wire.payload) as { token: string };
      this.copies.set(token, (this.copies.get(token) ?? 0) + 1);
      const submission = submissionOf(session, wire, stream, isLate);
      if (this.#happens(this.weather.overload)) {
        submission.answer(failure('OVERLOADED', 'the queue is full', { retryAfterMs: '30' }));
      } else {
        this.#pass(node, groupOf(wire.space, wire.key, this.groups.length - 1), submission);
      }
    }
  }

  /** What a node does with a message: keeps it if it leads, forwards it to who it believes leads, or fails. */
  #pass(node: number, group: number, submission: FakeSubmission): void {
    const fake = this.groups[group]!;
    if (!this.isUp(node)) return;
    if (fake.leader === node) {
      fake.enqueue(submission);
      return;
    }
    const isStale = this.#happens(this.weather.staleBelief);
    const believed = isStale ? 1 + this.#world.below(this.#nodes.size) : fake.leader;
    if (believed === 0 || believed === node || !this.isUp(believed)) {
      submission.answer(failure('UNAVAILABLE', 'no leader', { retryAfterMs: '20' }));
      return;
    }
    this.#forward(node, believed, () => this.#forwarded(node, believed, group, submission));
  }

  #forwarded(from: number, to: number, group: number, submission: FakeSubmission): void {
    // A node whose client has gone drops what it would have to pass on.
    if (!submission.isWanted()) return;
    if (!this.isUp(to)) {
      submission.answer(LOST);
      return;
    }
    const answer = (result: FakeResult): void =>
      this.#forward(to, from, () => submission.answer(result));
    const fake = this.groups[group]!;
    if (fake.leader === to) fake.enqueue({ ...submission, answer });
    else answer(failure('UNAVAILABLE', 'this node does not lead any more'));
  }

  #forward(from: number, to: number, arrive: () => void): void {
    const way = `${from}>${to}`;
    const nowMs = this.#world.nowMs();
    const atMs = Math.max(
      this.#arrivals.get(way) ?? 0,
      nowMs + this.#world.below(this.weather.delayMsMax + 1),
    );
    this.#arrivals.set(way, atMs);
    this.#world.after(atMs - nowMs, arrive);
  }

  #tellRoutes(group: number): void {
    if (group === 0) return;
    for (const { streams } of this.#nodes.values()) {
      for (const stream of streams) stream.tell((to) => this.#tellRoute(to, group));
    }
  }

  #tellRoute(to: SendStreamListener, group: number): void {
    const { leader } = this.groups[group]!;
    to.route(group, leader, leader === 0 ? '' : addressOf(leader));
  }

  async #call(node: number, name: string): Promise<object> {
    await new Promise<void>((resolve) => this.#world.after(1, resolve));
    if (!this.isUp(node) || name !== 'GetStatus') {
      throw new DeltabaseError('UNAVAILABLE', `${addressOf(node)} is down`);
    }
    const members = this.nodes.map((id) => ({ node: id, address: addressOf(id) }));
    return { node, members, via: [] };
  }

  #happens(perMille: number): boolean {
    return perMille > 0 && this.#world.below(1000) < perMille;
  }
}

/** As it is now: the client changes its own. */
function copyOf(message: WireMessage): WireMessage {
  const { space, key, channel, payload, number, after, retried } = message;
  return { space, key, channel, payload, number, after, retried };
}

function addressOf(node: number): string {
  return `fake:${7000 + node}`;
}

function submissionOf(
  session: WireSession,
  wire: WireMessage,
  stream: FakeStream,
  isLate: boolean,
): FakeSubmission {
  const { name, openedAtMs: openedAt, settled } = session;
  const { space, key, channel, number, after, retried } = wire;
  if (after >= number) throw new Error('after must name an earlier message');
  if (number < settled) throw new Error('a settled message was sent');
  const payload = new TextEncoder().encode(wire.payload);
  const ref = { name, openedAt, settled };
  const message: Message = {
    space,
    key,
    channel,
    payload,
    principal: '',
    session: ref,
    number,
    after,
    retried,
  };
  return {
    message,
    // A node that stood still has not noticed yet that its client has gone.
    isWanted: () => stream.isOpen || isLate,
    answer: (result) => stream.answer(number, result),
  };
}

interface FakeStreamEvents {
  closed(): void;
  received(session: WireSession, messages: readonly WireMessage[], isLate: boolean): void;
}

/** A frame as it came to a node. */
interface FakeFrame {
  readonly stream: FakeStream;
  readonly session: WireSession;
  readonly messages: readonly WireMessage[];
  readonly isLate: boolean;
}

/** The longest that a node stands still with a frame, ms. */
const LATE_MS_MAX = 300;

/** Both ends of one stream. What is written in either direction arrives later, in order, or never. */
class FakeStream implements SendStream {
  readonly #world: VirtualWorld;
  readonly #weather: Weather;
  readonly #listener: SendStreamListener;
  readonly #events: FakeStreamEvents;
  #session: WireSession | undefined;
  #requestsMs = 0;
  #responsesMs = 0;
  #blockedUntilDrain = false;
  #awaited = new Set<number>();
  #isLost = false;
  #lateMs: number | undefined;
  isOpen = true;

  constructor(
    world: VirtualWorld,
    weather: Weather,
    listener: SendStreamListener,
    events: FakeStreamEvents,
  ) {
    this.#world = world;
    this.#weather = weather;
    this.#listener = listener;
    this.#events = events;
  }

  write(session: WireSession | undefined, messages: readonly WireMessage[]): boolean {
    if (this.#blockedUntilDrain) throw new Error('written to while it wants a pause');
    const copies = messages.map(copyOf);
    for (const { number } of copies) {
      if (this.#awaited.has(number)) throw new Error(`${number} is on this stream already`);
      this.#awaited.add(number);
    }
    const receive = (isLate: boolean): void => {
      this.#session = session ?? this.#session;
      if (this.#session === undefined) throw new Error('the first frame lacks its session');
      this.#events.received(this.#session, copies, isLate);
    };
    this.#requestsMs = this.#later(
      this.#requestsMs,
      () => receive(false),
      () => this.#deliverLate(receive),
    );
    if (this.#world.below(10) > 0) return true;
    this.#blockedUntilDrain = true;
    this.#later(0, () => {
      this.#blockedUntilDrain = false;
      this.#listener.drained();
    });
    return false;
  }

  cancel(): void {
    this.#close();
  }

  break(why: string): void {
    if (!this.isOpen) return;
    this.#close();
    this.#world.soon(() => this.#listener.ended(new DeltabaseError('UNAVAILABLE', why)));
  }

  tell(say: (listener: SendStreamListener) => void): void {
    this.#responsesMs = this.#later(this.#responsesMs, () => {
      say(this.#listener);
      this.#listener.received();
    });
  }

  answer(number: number, result: FakeResult): void {
    this.tell((to) => {
      this.#awaited.delete(number);
      if (result.kind === 'accepted') to.accepted(number, result.seq, result.reply);
      else to.failed(number, result);
    });
  }

  #later(notBeforeMs: number, run: () => void, tooLate: () => void = () => {}): number {
    const nowMs = this.#world.nowMs();
    const atMs = Math.max(notBeforeMs, nowMs + this.#world.below(this.#weather.delayMsMax + 1));
    this.#world.after(atMs - nowMs, () => {
      if (this.isOpen) run();
      else tooLate();
    });
    return atMs;
  }

  /** What comes late comes in order: nothing behind what is lost. */
  #deliverLate(receive: (isLate: boolean) => void): void {
    const { lateFrames } = this.#weather;
    this.#isLost ||= lateFrames === 0 || this.#world.below(1000) >= lateFrames;
    if (this.#isLost) return;
    this.#lateMs ??= this.#world.below(LATE_MS_MAX);
    this.#world.after(this.#lateMs, () => receive(true));
  }

  #close(): void {
    this.isOpen = false;
    this.#events.closed();
  }
}
