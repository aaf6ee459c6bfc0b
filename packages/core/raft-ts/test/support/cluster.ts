// Some hosts and a network between them, driven by hand: messages wait in order until `settle` or `deliver`
// brings them, and links can be cut. Nothing happens by itself, so a test says exactly what does.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConfChange, NodeChange, Transition } from '../../src/conf-change.js';
import type { Message } from '../../src/message.js';
import type { Ready } from '../../src/ready.js';
import type { PeerStatus } from '../../src/status.js';
import type { ConfState, Entry, NodeId, ReadState } from '../../src/types.js';
import { bytesOf, NO_DATA, textOf } from './entries.js';
import { type HostConfig, type HostOptions, TestHost } from './host.js';

export interface ClusterConfig extends HostConfig {
  readonly voters: readonly NodeId[];
  /** Nodes that exist and are not members yet; their log begins with the same configuration. */
  readonly others?: readonly NodeId[];
}

/** Whether a message is lost. */
type Loses = (message: Message) => boolean;

export class Cluster {
  readonly hosts = new Map<NodeId, TestHost>();
  readonly applied = new Map<NodeId, Entry[]>();
  readonly reads = new Map<NodeId, ReadState[]>();
  /** What was ever sent. */
  readonly sent: Message[] = [];
  /** Every Ready that was ever taken. */
  readonly readies: Ready[] = [];
  inFlight: Message[] = [];
  #losses: Loses[] = [];

  constructor(config: ClusterConfig) {
    const { voters, others = [], ...hostConfig } = config;
    const { random = makeRandom() } = hostConfig;
    for (const id of [...voters, ...others]) this.add(id, { ...hostConfig, random, voters });
  }

  add(id: NodeId, options: HostOptions): void {
    const applied: Entry[] = [];
    const reads: ReadState[] = [];
    this.applied.set(id, applied);
    this.reads.set(id, reads);
    const events = {
      sent: (message: Message) => this.#send(message),
      applied: (entry: Entry) => applied.push(entry),
      read: (read: ReadState) => reads.push(read),
      ready: (ready: Ready) => this.readies.push(ready),
    };
    this.hosts.set(id, new TestHost(id, options, events));
  }

  host(id: NodeId): TestHost {
    const host = this.hosts.get(id);
    assert.ok(host, `node ${id} exists`);
    return host;
  }

  node(id: NodeId) {
    return this.host(id).node;
  }

  status(id: NodeId) {
    return this.node(id).basicStatus();
  }

  /** What the leader `leader` knows of `peer`. */
  peer(leader: NodeId, peer: NodeId): PeerStatus {
    const found = this.node(leader)
      .status()
      .progress.find(({ id }) => id === peer);
    assert.ok(found, `${leader} leads and has ${peer} for a member`);
    return found;
  }

  leaders(): NodeId[] {
    return [...this.hosts.keys()].filter((id) => {
      return this.host(id).isUp && this.status(id).role === 'leader';
    });
  }

  /** The data of what a node has applied, but for Raft's own entries. */
  texts(id: NodeId): string[] {
    return this.applied
      .get(id)!
      .filter(({ type, data }) => type === 'normal' && data.length > 0)
      .map(({ data }) => textOf(data));
  }

  /** The log of a node as `term` after `term`, from its first entry on. */
  terms(id: NodeId): string {
    const { disk } = this.host(id);
    const terms = [];
    for (let index = disk.firstIndex(); index <= disk.lastIndex(); index++) {
      terms.push(disk.term(index));
    }
    return terms.join(' ');
  }

  /** Delivers and works until nothing is left to do. */
  settle(): void {
    for (let turns = 0; ; turns++) {
      assert.ok(turns < 10_000, 'the cluster comes to rest');
      for (const host of this.hosts.values()) if (host.isUp) host.pump();
      const messages = this.inFlight;
      if (messages.length === 0) return;
      this.inFlight = [];
      for (const message of messages) this.deliver(message);
    }
  }

  /** Brings a message, wherever it comes from, if its receiver is up. */
  deliver(message: Message): void {
    const host = this.hosts.get(message.to);
    if (host?.isUp) host.node.step(message);
  }

  /** Loses what `loses` says from now on; returns what ends it. */
  lose(loses: Loses): () => void {
    this.#losses.push(loses);
    return () => {
      this.#losses = this.#losses.filter((other) => other !== loses);
    };
  }

  /** Cuts a node off; returns what ends it. */
  isolate(...ids: readonly NodeId[]): () => void {
    return this.lose(({ from, to }) => ids.includes(from) !== ids.includes(to));
  }

  heal(): void {
    this.#losses = [];
  }

  /** Lets `count` ticks pass on some nodes, each followed by all that it leads to. */
  tick(ids: NodeId | readonly NodeId[], count = 1): void {
    for (let passed = 0; passed < count; passed++) {
      for (const id of [ids].flat()) this.node(id).tick();
      this.settle();
    }
  }

  /** Has `id` elected, whatever lease there is. */
  elect(id: NodeId): void {
    const { lead } = this.status(id);
    for (const host of this.hosts.values()) if (host.isUp) host.node.forgetLeader();
    if (lead !== id && this.leaders().includes(lead)) this.node(lead).transferLeader(id);
    else this.node(id).campaign();
    this.settle();
    assert.equal(this.status(id).role, 'leader', `node ${id} leads`);
  }

  propose(id: NodeId, ...texts: readonly string[]): void {
    this.node(id).propose(...texts.map(bytesOf));
  }

  change(id: NodeId, transition: Transition, ...changes: readonly NodeChange[]): void {
    this.node(id).proposeConfChange({ transition, changes, context: NO_DATA });
  }

  /** Proposes, and has it committed and applied everywhere. */
  commit(id: NodeId, ...texts: readonly string[]): void {
    this.propose(id, ...texts);
    this.settle();
    this.tick(id);
  }

  changeTo(id: NodeId, change: Pick<ConfChange, 'transition' | 'changes'>): ConfState {
    this.change(id, change.transition, ...change.changes);
    this.settle();
    this.tick(id);
    return this.host(id).confState;
  }

  #send(message: Message): void {
    this.sent.push(message);
    if (!this.#losses.some((loses) => loses(message))) this.inFlight.push(message);
  }
}

/** Nodes 1 and 2 have gone on and compacted; node 3 is behind what is left of the log. */
export function laggingCluster(mode: { asyncStorageWrites: boolean }): Cluster {
  const cluster = new Cluster({ voters: [1, 2, 3], ...mode });
  cluster.elect(1);
  const cut = cluster.isolate(3);
  for (const text of 'abcdef') cluster.commit(1, text);
  for (const id of [1, 2]) cluster.host(id).disk.compact(0);
  cut();
  return cluster;
}

/** Few numbers, but enough for timeouts that differ. */
function makeRandom(): (bound: number) => number {
  let calls = 0;
  return (bound) => (7 * calls++) % bound;
}

/** Runs a test in both storage modes. */
export function testModes(
  name: string,
  body: (mode: { asyncStorageWrites: boolean }) => void,
): void {
  test(name, () => {
    for (const asyncStorageWrites of [false, true]) {
      try {
        body({ asyncStorageWrites });
      } catch (thrown) {
        if (thrown instanceof Error)
          thrown.message += ` (asyncStorageWrites: ${asyncStorageWrites})`;
        throw thrown;
      }
    }
  });
}
