// One replica, node 1, whose peers are played by the test: what it is told goes in, what it says comes out.

import assert from 'node:assert/strict';
import type { Message } from '../../src/message.js';
import type { RawNode } from '../../src/raw-node.js';
import type { Ready } from '../../src/ready.js';
import type { Entry, NodeId, ReadState } from '../../src/types.js';
import { bytesOf } from './entries.js';
import { type HostOptions, TestHost } from './host.js';
import { appendResponse, preVoteResponse, voteResponse } from './messages.js';

export class Single {
  readonly host: TestHost;
  readonly applied: Entry[] = [];
  readonly reads: ReadState[] = [];
  readonly readies: Ready[] = [];
  #sent: Message[] = [];

  constructor(options: HostOptions) {
    this.host = new TestHost(1, options, {
      sent: (message) => this.#sent.push(message),
      applied: (entry) => this.applied.push(entry),
      read: (read) => this.reads.push(read),
      ready: (ready) => this.readies.push(ready),
    });
  }

  get node(): RawNode {
    return this.host.node;
  }

  get status() {
    return this.node.basicStatus();
  }

  /** Does something with the replica and all that it leads to; returns what it sends. */
  run(action: (node: RawNode) => void): Message[] {
    action(this.node);
    this.host.pump();
    return this.take();
  }

  step(message: Message): Message[] {
    return this.run((node) => node.step(message));
  }

  tick(count = 1): Message[] {
    return this.run((node) => {
      for (let passed = 0; passed < count; passed++) node.tick();
    });
  }

  propose(...texts: readonly string[]): Message[] {
    return this.run((node) => node.propose(...texts.map(bytesOf)));
  }

  /** What was sent since it was last asked. */
  take(): Message[] {
    const sent = this.#sent;
    this.#sent = [];
    return sent;
  }

  /** Has it elected by the votes of `voters`. Returns what it sends as a leader. */
  lead(...voters: readonly NodeId[]): Message[] {
    this.run((node) => node.campaign());
    const { term, role } = this.status;
    if (role === 'preCandidate') {
      for (const from of voters) this.step(preVoteResponse({ from, term: term + 1 }));
    }
    this.take();
    const sent = voters.flatMap((from) => {
      return this.step(voteResponse({ from, term: this.status.term }));
    });
    assert.equal(this.status.role, 'leader');
    return sent;
  }

  /** Has it elected, and its first entry acknowledged by all of `voters`. */
  leadAndCommit(...voters: readonly NodeId[]): void {
    this.lead(...voters);
    this.acknowledge(...voters);
  }

  /** Has `voters` acknowledge all there is. */
  acknowledge(...voters: readonly NodeId[]): Message[] {
    const { term, lastIndex } = this.status;
    return voters.flatMap((from) => this.step(appendResponse({ from, term, index: lastIndex })));
  }

  peer(id: NodeId) {
    const found = this.node.status().progress.find((peer) => peer.id === id);
    assert.ok(found, `it leads, and ${id} is a member`);
    return found;
  }
}
