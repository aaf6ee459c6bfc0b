// What a group says to its other copies. Heartbeats wait for the beat of the node and go with those of all groups;
// but one that begins a round of reads leaves at once, and so does every answer. Both tell what this copy knows of
// sleep (sleep.ts). News of commits, and answers to it, may come a little later (peers/notices.ts), and so may entries for
// followers whose answer is not needed (peers/promptness.ts).

import { assert } from '@deltabase/base';
import {
  type AppendMessage,
  type AppendWork,
  type ConfState,
  type HeartbeatMessage,
  isJoint,
  type Message,
} from 'raft-ts';
import type { NodeId } from '../ports.js';
import type { GroupHost } from './group-host.js';
import type { Sleep } from './sleep.js';

export interface OutgoingHost {
  readonly group: number;
  readonly self: NodeId;
  readonly node: Pick<
    GroupHost,
    'send' | 'sendLater' | 'mayWait' | 'sendHeartbeat' | 'sendHeartbeatResponse' | 'leadershipEnded'
  >;
  readonly sleep: Pick<Sleep, 'offers' | 'answer'>;
}

export class Outgoing {
  readonly #host: OutgoingHost;
  /** The latest round of reads that each peer was told of in this leadership. */
  readonly #roundsTold = new Map<NodeId, number>();
  #rounds = 0;

  constructor(host: OutgoingHost) {
    this.#host = host;
  }

  /** Counts what was begun for reads: while it stays the same, nobody has read here. */
  get rounds(): number {
    return this.#rounds;
  }

  /** Another role or leader: rounds begin anew with the next leadership. */
  leaderChanged(): void {
    this.#roundsTold.clear();
    this.#host.node.leadershipEnded(this.#host.group);
  }

  /** Sends what Raft says at one time; `isCalm` if there is nothing else to do with it. */
  send(messages: readonly Message[], conf: ConfState, options: { readonly isCalm: boolean }): void {
    for (const message of messages) {
      if (message.type === 'append' && this.#mayWait(message, messages, conf)) {
        this.#host.node.sendLater(this.#host.group, message);
      } else {
        this.#send(message, options);
      }
    }
  }

  /** Whether an append brings no entries, or others are asked for the same ones who make a quorum with this node. */
  #mayWait(
    { to, prevIndex, entries }: AppendMessage,
    messages: readonly Message[],
    conf: ConfState,
  ): boolean {
    if (entries.length === 0) return true;
    const { voters } = conf;
    const { self, node } = this.#host;
    if (isJoint(conf) || !voters.includes(self) || !voters.includes(to)) return false;
    const end = prevIndex + entries.length;
    const asked = messages.filter(
      (other) => other.type === 'append' && other.prevIndex + other.entries.length >= end,
    );
    const count = Math.floor(voters.length / 2);
    const others = asked.map((other) => other.to).filter((id) => id !== to && voters.includes(id));
    return others.length >= count && node.mayWait(to, others, count);
  }

  #send(message: Message, options: { readonly isCalm: boolean }): void {
    const { group, node, sleep } = this.#host;
    if (message.type === 'heartbeat') {
      const waits = !this.#tellsOfRound(message);
      const offersSleep = waits && sleep.offers(message);
      node.sendHeartbeat({ group, message, offersSleep }, { waits });
    } else if (message.type === 'heartbeatResponse') {
      node.sendHeartbeatResponse({ group, message, sleepsAt: sleep.answer(options) });
    } else {
      assert(message.type !== 'propose', 'proposals are not passed on');
      node.send(group, message);
    }
  }

  /** Sends a message that waited for `work` to be durable. */
  acknowledge(message: Message, work: AppendWork): void {
    // Without entries of its own it was the answer to a notice, or says again what the leader was told.
    const isNotice = message.type === 'appendResponse' && !message.reject && !work.mustSync;
    if (isNotice) this.#host.node.sendLater(this.#host.group, message);
    else this.#send(message, { isCalm: false });
  }

  /** Whether a heartbeat is the first to tell its receiver of a round: reads wait for the answer. */
  #tellsOfRound({ to, readRound }: HeartbeatMessage): boolean {
    if (readRound <= (this.#roundsTold.get(to) ?? 0)) return false;
    this.#roundsTold.set(to, readRound);
    this.#rounds++;
    return true;
  }
}
