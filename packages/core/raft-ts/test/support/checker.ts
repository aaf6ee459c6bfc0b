// What must hold at every moment of a run, whatever fails: the five properties of Raft Figure 3, and that no
// promise is made before it is durable. Logs are followed by a chain of hashes: two entries with the same hash
// stand behind the same log.

import assert from 'node:assert/strict';
import type { Message } from '../../src/message.js';
import type { Ready } from '../../src/ready.js';
import type { Entry, NodeId, Snapshot } from '../../src/types.js';
import type { TestHost } from './host.js';
import { type MachineState, mix } from './machine.js';

/** What is known of a node's log as far as it was handed out. */
interface Followed {
  /** The chain's hash at each index. */
  chain: number[];
  confChanges: number[];
  /** Committed, and compared with the others, up to here. */
  compared: number;
  /** The highest in this life. */
  term: number;
  commit: number;
}

export class Checker {
  readonly #leaders = new Map<number, NodeId>();
  /** Of each `index/term` ever seen, the hash of the log up to it. */
  readonly #entries = new Map<string, number>();
  /** Hash of the committed log, by index. */
  readonly #committed: number[] = [0];
  /** The earliest term in which a leader has committed each index. */
  readonly #committedIn: number[] = [0];
  readonly #machines = new Map<number, number>();
  readonly #votes = new Map<string, NodeId>();
  readonly #followed = new Map<NodeId, Followed>();
  readonly #hosts = new Map<NodeId, TestHost>();
  /** The largest commit index that anybody has known. */
  commit = 0;

  /** A replica was started, for the first time or again. */
  started(host: TestHost): void {
    const { disk } = host;
    this.#hosts.set(host.id, host);
    const chain = this.#committed.slice(0, disk.firstIndex());
    assert.equal(chain.length, disk.firstIndex(), 'what is compacted was committed');
    this.#followed.set(host.id, { chain, confChanges: [], compared: 0, term: 0, commit: 0 });
    const entries = disk.entries(disk.firstIndex(), disk.lastIndex() + 1, Infinity);
    this.#follow(host, entries);
    const { hardState } = disk.durable;
    const { term, vote, commit } = host.node.basicStatus();
    assert.deepEqual([term, vote], [hardState.term, hardState.vote], 'term and vote are kept');
    assert.ok(commit >= hardState.commit, 'the commit index is kept');
  }

  /** Something was done with a replica. */
  touched(host: TestHost): void {
    const status = host.node.basicStatus();
    const followed = this.#of(host);
    const { term, commit, applied, lastIndex, role } = status;
    assert.ok(
      applied <= commit && commit <= lastIndex,
      'applied <= committed <= last (OrderOfLog)',
    );
    assert.ok(term >= followed.term, 'the term never goes back (TermsOnlyGrow)');
    assert.ok(commit >= followed.commit, 'the commit index never goes back (CommittedStays)');
    assert.equal(status.damaged, false, 'nothing was lost, so nothing is damaged');
    if (role === 'leader') {
      const isNew = this.#leaders.get(term) === undefined;
      if (isNew) this.#checkElection(host);
      else if (commit > followed.commit) this.#checkCommit(host, commit);
    }
    followed.term = term;
    followed.commit = commit;
    this.commit = Math.max(this.commit, commit);
    if (role === 'leader') {
      for (let index = commit; (this.#committedIn[index] ?? Infinity) > term; index--) {
        this.#committedIn[index] = term;
      }
      const other = this.#leaders.get(term) ?? host.id;
      assert.equal(other, host.id, `two leaders in term ${term} (ElectionSafety)`);
      this.#leaders.set(term, host.id);
    }
  }

  /** A Ready was taken. */
  handedOut(host: TestHost, { append, apply, softState }: Ready): void {
    if (apply !== undefined && host.isAsync) {
      const { index, term } = apply.entries.at(-1)!;
      const { compacted, entries } = host.disk.durable;
      const at = index - compacted.index - 1;
      assert.ok(at < 0 || entries[at]?.term === term, 'what is applied is durable (contract 4)');
    }
    if (append?.snapshot !== undefined) this.#restore(host, append.snapshot);
    if (append !== undefined) this.#follow(host, append.entries);
    this.#compareCommitted(host);
    const { role, term, commit } = host.node.basicStatus();
    if (role === 'candidate' || role === 'preCandidate') {
      const { confChanges } = this.#of(host);
      const applied = host.machine.index;
      const unapplied = confChanges.filter((index) => index > applied && index <= commit);
      assert.deepEqual(unapplied, [], 'what is committed is applied (AppliedBeforeCampaign)');
    }
    if (softState?.role !== 'leader' || role !== 'leader') return;
    // An election may be won late, when a leader of a later term has committed more.
    let last = this.#committed.length - 1;
    while ((this.#committedIn[last] ?? Infinity) >= term) last--;
    const ours = this.#of(host).chain[last];
    assert.equal(
      ours,
      this.#committed[last],
      'a leader has what was committed (LeaderCompleteness)',
    );
  }

  /** A message has left a node. */
  sent(host: TestHost, message: Message): void {
    const { durable } = host.disk;
    const { hardState } = durable;
    if (message.type === 'appendResponse') {
      assert.ok(hardState.term >= message.term, 'the term of an answer is durable');
      const last = durable.compacted.index + durable.entries.length;
      // A leader of a later term may have replaced it since, in the same write.
      const isKept = message.reject || last >= message.index || hardState.term > message.term;
      assert.ok(isKept, 'what is acknowledged is durable (DurableBeforeTold)');
    }
    if (message.type === 'vote') {
      const isKept = hardState.term === message.term && hardState.vote === message.from;
      assert.ok(isKept || hardState.term > message.term, 'who asks for votes has voted for itself');
    }
    if (message.type !== 'voteResponse' || message.reject) return;
    const isVoteKept = hardState.term === message.term && hardState.vote === message.to;
    assert.ok(
      isVoteKept || hardState.term > message.term,
      'a vote that is told is durable (DurableBeforeTold)',
    );
    const vote = `${message.from} in ${message.term}`;
    const given = this.#votes.get(vote) ?? message.to;
    assert.equal(given, message.to, `node ${vote} voted twice (OneVoteATerm)`);
    this.#votes.set(vote, message.to);
  }

  applied(entry: Entry, machine: MachineState): void {
    const known = this.#machines.get(entry.index) ?? machine.hash;
    assert.equal(machine.hash, known, `entry ${entry.index} differs (StateMachineSafety)`);
    this.#machines.set(entry.index, machine.hash);
  }

  /** A read that came when `commit` was the largest commit index may be served at `index`. */
  read(commit: number, index: number): void {
    assert.ok(
      index >= commit,
      `a read at ${index} came after the commit of ${commit} (ReadsSeeTheirPast)`,
    );
  }

  /** Who was elected has durable votes of a majority; who has moved on to another term may have given one. */
  #checkElection(host: TestHost): void {
    const { term } = host.node.basicStatus();
    this.#checkMajority(host, 'elected', ({ disk }) => {
      const { hardState } = disk.durable;
      return hardState.term > term || (hardState.term === term && hardState.vote === host.id);
    });
  }

  /** What a leader commits is of its own term, durable on a majority, and stays there. */
  #checkCommit(host: TestHost, index: number): void {
    const { term } = host.node.basicStatus();
    this.#checkMajority(host, `${index} was committed`, ({ disk }) => {
      const { compacted, entries } = disk.durable;
      const at = index - compacted.index - 1;
      return at < 0 || entries[at]?.term === term;
    });
  }

  /** A majority of each half of the configuration that `host` goes by. */
  #checkMajority(host: TestHost, what: string, has: (voter: TestHost) => boolean): void {
    const { voters, votersOutgoing } = host.node.status().conf;
    for (const half of [voters, votersOutgoing]) {
      const count = half.filter((id) => {
        const voter = this.#hosts.get(id);
        return voter !== undefined && has(voter);
      }).length;
      const isMajority = half.length === 0 || 2 * count > half.length;
      assert.ok(isMajority, `${what} by ${count} of ${half} (VotersOnly, OwnTermCommits)`);
    }
  }

  #follow(host: TestHost, entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    const followed = this.#of(host);
    const { chain } = followed;
    assert.ok(first.index <= chain.length, 'a log has no holes');
    assert.ok(first.index > followed.compared, 'what was committed is not replaced');
    chain.length = first.index;
    followed.confChanges = followed.confChanges.filter((index) => index < first.index);
    for (const entry of entries) {
      const name = `${entry.index}/${entry.term}`;
      const hash = chainHash(chain.at(-1)!, entry);
      const known = this.#entries.get(name) ?? hash;
      assert.equal(hash, known, `two logs that agree on ${name} differ (LogMatching)`);
      this.#entries.set(name, hash);
      chain.push(hash);
      if (entry.type === 'confChange') followed.confChanges.push(entry.index);
    }
    // Not only is no more than one pending: its node knows it, by the commit index that came along.
    const { commit } = host.node.basicStatus();
    const pending = followed.confChanges.filter((index) => index > commit);
    assert.ok(pending.length <= 1, `changes at ${pending.join(' and ')} (OneChangeAtATime)`);
  }

  #restore(host: TestHost, snapshot: Snapshot): void {
    const { index } = snapshot;
    assert.ok(index < this.#committed.length, 'a snapshot is of committed entries');
    const followed = this.#of(host);
    followed.chain = this.#committed.slice(0, index + 1);
    followed.confChanges = [];
  }

  #compareCommitted(host: TestHost): void {
    const followed = this.#of(host);
    const { commit } = host.node.basicStatus();
    for (let index = followed.compared + 1; index <= commit; index++) {
      const hash = followed.chain[index];
      assert.ok(hash !== undefined, 'what is committed was handed out');
      const known = this.#committed[index] ?? hash;
      assert.equal(hash, known, `committed entry ${index} differs (StateMachineSafety)`);
      this.#committed[index] = hash;
    }
    followed.compared = Math.max(followed.compared, commit);
  }

  #of(host: TestHost): Followed {
    const followed = this.#followed.get(host.id);
    assert.ok(followed, `node ${host.id} was started`);
    return followed;
  }
}

function chainHash(before: number, entry: Entry): number {
  let hash = mix(mix(before, entry.term), entry.type === 'normal' ? 1 : 2);
  for (const byte of entry.data) hash = mix(hash, byte);
  return hash;
}
