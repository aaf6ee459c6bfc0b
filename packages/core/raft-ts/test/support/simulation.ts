// A cluster under a seed: ticks, a network that loses, repeats, delays and reorders, hosts that work at any
// pace and crash between any two steps, and clients that propose, read, transfer and change the configuration.
// Then everything heals, and must come together. One seed always gives the same run.

import assert from 'node:assert/strict';
import { LEAVE_JOINT } from '../../src/conf-change.js';
import { isRaftError } from '../../src/errors.js';
import type { Message } from '../../src/message.js';
import type { NodeId } from '../../src/types.js';
import { describeHosts, isAtRest } from './at-rest.js';
import { Checker } from './checker.js';
import { Digest } from './digest.js';
import { bytesOf, NO_DATA, textOf } from './entries.js';
import { type HostConfig, TestHost } from './host.js';
import { Network } from './network.js';
import { Prng } from './prng.js';
import { drawChange, drawConfig, drawFaults, type Faults, NO_FAULTS } from './swarm.js';

/** How often what happened, over a set of runs: a set that never saw it has not tested it. */
export type Coverage = Map<string, number>;

const NODES = [1, 2, 3, 4, 5, 6, 7];
const CHAOS_ROUNDS = 200;
const HEALING_ROUNDS = 400;

export class Simulation {
  readonly #prng: Prng;
  readonly #checker = new Checker();
  readonly #coverage: Coverage;
  readonly #hosts = new Map<NodeId, TestHost>();
  readonly #downUntil = new Map<NodeId, number>();
  /** How likely a host is to take the next step of its work: disks are slow and fast, and change. */
  readonly #paces = new Map<NodeId, number>();
  readonly #voters: readonly NodeId[];
  readonly #config: HostConfig;
  #faults: Faults;
  readonly #network: Network;
  readonly #reads = new Map<string, number>();
  /** When the present partition ends. */
  #cutUntil = 0;
  #healing = false;
  #slot = 0;
  #counter = 0;
  readonly #digest = new Digest();

  constructor(seed: number, coverage: Coverage) {
    this.#prng = new Prng(seed);
    this.#coverage = coverage;
    const prng = this.#prng;
    this.#voters = NODES.slice(0, 3 + prng.below(3));
    this.#network = new Network(prng);
    this.#faults = drawFaults(prng);
    this.#config = drawConfig(prng);
    for (const id of this.#voters) this.#start(id);
  }

  /** A hash of all that happened. */
  run(): number {
    for (let round = 0; round < CHAOS_ROUNDS; round++) this.#round(true);
    this.#heal();
    return this.#digest.value;
  }

  get #up(): TestHost[] {
    return [...this.#hosts.values()].filter(({ isUp }) => isUp);
  }

  /** The leader of the latest term, if it is up. */
  get #leader(): TestHost | undefined {
    return this.#up
      .filter(({ node }) => node.basicStatus().role === 'leader')
      .sort((a, b) => b.node.basicStatus().term - a.node.basicStatus().term)[0];
  }

  /** Every node ticks once, always in the same order: unless ticks are missed all clocks run at the same rate. */
  #round(chaos: boolean): void {
    for (const id of NODES) {
      this.#slot++;
      const host = this.#hosts.get(id);
      if (host?.isUp && !this.#stalls()) this.#with(host, () => host.node.tick());
      if (chaos) this.#disturb();
      this.#deliverDue();
      for (const each of this.#up) this.#work(each);
      this.#restartDue();
    }
  }

  #stalls(): boolean {
    return this.#config.readOnly !== 'lease' && this.#prng.chance(this.#faults.stall);
  }

  #deliverDue(): void {
    for (const message of this.#network.due(this.#slot)) {
      const host = this.#hosts.get(message.to);
      if (!host?.isUp || this.#network.losesArriving(message)) {
        this.#lost(message);
        continue;
      }
      this.#digest.message(message);
      this.#with(host, () => host.node.step(message));
      if (message.type === 'snapshot') this.#report(message, true);
    }
  }

  #work(host: TestHost): void {
    while (host.isUp && this.#prng.chance(this.#paces.get(host.id)!)) {
      const threads = host.runnable();
      const canTake = host.canTake;
      if (threads.length === 0 && !canTake) return;
      this.#with(host, () => {
        if (canTake && (threads.length === 0 || this.#prng.chance(0.5))) host.take();
        else host.run(this.#prng.pick(threads));
      });
      if (this.#prng.chance(this.#faults.crash)) this.#crash(host);
    }
  }

  /** Does something with a host, and looks whether all still holds. */
  #with(host: TestHost, action: () => void): void {
    action();
    this.#checker.touched(host);
  }

  #start(id: NodeId): void {
    this.#paces.set(id, this.#healing ? 0.9 : this.#prng.pick([0.2, 0.6, 0.95]));
    const old = this.#hosts.get(id);
    if (old !== undefined) {
      old.start();
      this.#checker.started(old);
      return;
    }
    const options = { ...this.#config, asyncStorageWrites: this.#prng.chance(0.5) };
    const host: TestHost = new TestHost(
      id,
      { ...options, voters: this.#voters, random: (bound) => this.#prng.below(bound) },
      {
        sent: (message) => this.#sent(host, message),
        applied: (entry, machine) => {
          this.#digest.mix(entry.index, machine.hash);
          this.#checker.applied(entry, machine);
          if (entry.type === 'confChange') this.#count('a configuration change was applied');
          if (host.confState.votersOutgoing.length > 0)
            this.#count('an entry was applied while joint');
        },
        restored: (snapshot) => {
          this.#digest.mix(snapshot.index, id);
          this.#count('a snapshot was installed');
          if (snapshot.confState.votersOutgoing.length > 0) this.#count('a snapshot was joint');
        },
        read: ({ index, context }) => {
          this.#count('a read was answered');
          this.#checker.read(this.#reads.get(textOf(context))!, index);
        },
        ready: (ready) => {
          if (ready.softState?.role === 'leader') this.#count('a leader was elected');
          const first = ready.append?.entries[0]?.index ?? Infinity;
          if (first <= host.disk.lastIndex()) this.#count('a log was truncated');
          this.#checker.handedOut(host, ready);
        },
      },
    );
    this.#hosts.set(id, host);
    this.#checker.started(host);
  }

  #crash(host: TestHost): void {
    const unsynced = host.disk.unsynced;
    const kept = this.#prng.chance(0.5) ? 0 : this.#prng.below(unsynced + 1);
    if (kept < unsynced) this.#count('a crash lost writes');
    if (host.runnable().length > 0) this.#count('a crash came between two steps');
    host.crash(kept);
    this.#downUntil.set(host.id, this.#slot + this.#prng.below(this.#prng.pick([10, 150])));
  }

  #restartDue(): void {
    for (const [id, slot] of this.#downUntil) {
      if (slot > this.#slot) continue;
      this.#downUntil.delete(id);
      this.#start(id);
    }
  }

  #sent(host: TestHost, message: Message): void {
    this.#checker.sent(host, message);
    if (!this.#network.send(message, this.#slot)) this.#lost(message);
  }

  /** Cuts off a leader, alone or with another node, or any nodes; both ways, or one. */
  #cut(): void {
    const prng = this.#prng;
    const leader = this.#leader?.id ?? prng.pick(NODES);
    const some = NODES.filter(() => prng.chance(0.4));
    const islands = [[leader], [leader], [leader, prng.pick(NODES)], some];
    const { voters = [], votersOutgoing = [] } = this.#leader?.confState ?? {};
    // Each half of a joint configuration alone could decide, if the other one were not needed.
    if (votersOutgoing.length > 0) islands.push([...voters], [...votersOutgoing]);
    const island = prng.pick(islands);
    this.#network.cut(island, prng.pick(['both', 'both', 'in', 'out']));
    this.#cutUntil = this.#slot + NODES.length * (2 + prng.below(prng.pick([4, 10, 25])));
    this.#count('a partition began');
  }

  #lost(message: Message): void {
    this.#count('a message was lost');
    if (message.type === 'snapshot') this.#report(message, false);
  }

  /** A host tells what became of a snapshot. */
  #report({ from, to }: Message, delivered: boolean): void {
    const host = this.#hosts.get(from);
    if (!host?.isUp) return;
    this.#count(delivered ? 'a snapshot was delivered' : 'a snapshot was lost');
    try {
      this.#with(host, () => host.node.reportSnapshot(to, delivered));
    } catch (thrown) {
      if (!isRaftError(thrown, 'PeerNotFound')) throw thrown;
    }
  }

  /** Clients and faults. */
  #disturb(): void {
    const prng = this.#prng;
    if (this.#cutUntil === this.#slot) {
      this.#network.mend();
      if (prng.chance(this.#faults.chain)) this.#cut();
    }
    if (this.#cutUntil < this.#slot && prng.chance(this.#faults.cut)) this.#cut();
    // Those who believe that they lead are of most interest, the deposed ones above all.
    for (const each of this.#up) {
      const leads = each.node.basicStatus().role === 'leader';
      const isDeposed = leads && each !== this.#leader;
      if (prng.chance(leads ? 0.3 : 0.02)) this.#propose(each);
      if (prng.chance(isDeposed ? 0.9 : leads ? 0.2 : 0.02)) this.#read(each);
      if (isDeposed) this.#count(`a deposed leader led on, with ${this.#config.readOnly} reads`);
    }
    const up = this.#up;
    if (up.length === 0) return;
    const host = prng.chance(0.6) ? (this.#leader ?? prng.pick(up)) : prng.pick(up);
    if (prng.chance(0.03)) this.#change(host);
    if (prng.chance(0.01)) this.#with(host, () => host.node.transferLeader(prng.pick(NODES)));
    if (prng.chance(0.003)) this.#with(host, () => host.node.resign());
    if (prng.chance(0.03)) this.#compact(prng.pick(up));
    const any = prng.pick(up);
    if (prng.chance(0.01)) this.#with(any, () => any.node.forgetLeader());
    if (prng.chance(0.02)) this.#with(any, () => any.node.campaign());
    if (prng.chance(0.01)) this.#unreachable(host);
    if (prng.chance(this.#faults.crash)) this.#crash(host);
    if (prng.chance(this.#faults.crash / 4)) {
      for (const each of up) if (each.isUp && prng.chance(0.7)) this.#crash(each);
    }
  }

  #propose(host: TestHost): void {
    const texts = Array.from({ length: 1 + this.#prng.below(3) }, () => `${this.#counter++}`);
    this.#attempt(host, () => host.node.propose(...texts.map(bytesOf)));
  }

  #read(host: TestHost): void {
    const context = `${this.#counter++}`;
    this.#reads.set(context, this.#checker.commit);
    this.#with(host, () => host.node.readIndex(bytesOf(context)));
  }

  #change(host: TestHost): void {
    const { changes, transition } = drawChange(this.#prng, NODES);
    for (const { node } of changes) if (!this.#hosts.has(node)) this.#start(node);
    this.#attempt(host, () =>
      host.node.proposeConfChange({ transition, changes, context: NO_DATA }),
    );
  }

  #compact(host: TestHost): void {
    // What is written and not synced yet may be part of it: the order of the writes keeps it whole.
    if (host.disk.applied.machine.index > 0) host.disk.compact(this.#prng.below(4));
  }

  #unreachable(host: TestHost): void {
    const id = this.#prng.pick(host.confState.voters);
    if (host.node.status().conf.voters.includes(id)) {
      this.#with(host, () => host.node.reportUnreachable(id));
    }
  }

  #attempt(host: TestHost, action: () => void): void {
    try {
      this.#with(host, action);
    } catch (thrown) {
      if (!isRaftError(thrown, 'ProposalDropped')) throw thrown;
      this.#count('a proposal was dropped');
    }
  }

  /** No more faults and no more clients: everybody must get to the same state, and go on from there. */
  #heal(): void {
    this.#faults = NO_FAULTS;
    this.#network.heal();
    this.#healing = true;
    for (const id of this.#paces.keys()) this.#paces.set(id, 0.9);
    for (const id of [...this.#downUntil.keys()]) this.#downUntil.set(id, this.#slot);
    this.#await('come to rest', () => this.#isAtRest());
    const final = `final ${this.#counter++}`;
    this.#leader!.node.propose(bytesOf(final));
    const index = this.#leader!.node.basicStatus().lastIndex;
    this.#await(
      'apply one entry more',
      () => this.#isAtRest() && this.#leader!.machine.index >= index,
    );
    assert.deepEqual(this.#leader!.node.status().conf, this.#leader!.confState);
  }

  #await(what: string, isDone: () => boolean): void {
    for (let round = 0; !isDone(); round++) {
      // With windows of one entry each takes a round trip.
      if (round > HEALING_ROUNDS + 4 * this.#checker.commit)
        assert.fail(
          `the cluster does not ${what}\n${JSON.stringify(this.#config)}\n${describeHosts(this.#hosts)}`,
        );
      this.#round(false);
      if (this.#leader !== undefined) this.#tidy(this.#leader);
    }
  }

  /** What a host does in the end: leaves a joint configuration, and hands over when it was removed. */
  #tidy(leader: TestHost): void {
    const { voters, votersOutgoing, autoLeave } = leader.confState;
    if (![...voters, ...votersOutgoing].includes(leader.id)) {
      this.#with(leader, () => leader.node.transferLeader(voters[0]!));
    } else if (votersOutgoing.length > 0 && !autoLeave) {
      this.#attempt(leader, () => leader.node.proposeConfChange(LEAVE_JOINT));
    }
  }

  #isAtRest(): boolean {
    return this.#leader !== undefined && isAtRest(this.#leader, this.#hosts);
  }

  #count(what: string): void {
    this.#coverage.set(what, (this.#coverage.get(what) ?? 0) + 1);
  }
}
