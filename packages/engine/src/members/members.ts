// All that a node does about the members of its cluster, put together.

import { SYSTEM_GROUP } from '@deltabase/machine';
import type { EngineConfig } from '../config.js';
import type { Group } from '../groups/group.js';
import type { ClusterClock } from '../peers/cluster-clock.js';
import type { FrameHeader } from '../peers/frame.js';
import { Identities } from '../peers/identities.js';
import type { Links } from '../peers/links.js';
import type { Liveness } from '../peers/liveness.js';
import type { DiskOperation, NodeId, Ports } from '../ports.js';
import type { Submission } from '../results.js';
import type { RecoveredNode } from '../storage/recovery.js';
import type { SystemSenders } from '../system/system-sender.js';
import type { Tasks } from '../tasks.js';
import type { Expulsion, Member, Recovery } from './member.js';
import { MemberChanges } from './member-changes.js';
import type { MembersView } from './members-refusals.js';
import type { MemberChange, MemberRecord } from './members-state.js';
import { Membership } from './membership.js';
import { Peers } from './peers.js';
import { Standings } from './standings.js';
import { Steering } from './steering.js';

export interface MembersHost {
  readonly ports: Pick<Ports, 'network' | 'log' | 'random'>;
  readonly config: EngineConfig;
  readonly recovered: RecoveredNode;
  /** Of this node's frames; it gets the cluster's id once that is known. */
  readonly header: FrameHeader & { clusterId: string };
  readonly links: Links;
  readonly liveness: Liveness;
  readonly clusterClock: ClusterClock;
  readonly tasks: Tasks;
  readonly senders: SystemSenders;
  /** All groups, once there are any. */
  groups(): readonly Group[];
  nowMs(): number;
  inTurn(step: () => void): void;
  write(operations: readonly DiskOperation[], done: () => void): void;
  submit(submission: Submission): void;
  /** This node is not one of the cluster any more, and its disk says so. */
  expelled(expulsion: Expulsion): void;
}

/** The members as one node sees them. */
export interface MembersReport {
  /** Empty: not known yet. */
  readonly clusterId: string;
  /** The voters that the logs of all groups begin with. */
  readonly founders: readonly NodeId[];
  /** The highest node id that was ever used; 0: not known yet. */
  readonly highestNode: NodeId;
  /** Document groups. */
  readonly groups: number;
  /** Where nodes are, as last heard, and which of them this one has a connection to. */
  readonly places: readonly (Member & { readonly reachable: boolean })[];
  /** Empty until this node has the document. */
  readonly members: readonly MemberRecord[];
  readonly change: ChangeReport | undefined;
  /** How many changes have begun. */
  readonly changes: number;
  /** Who should lead a group, where an operator has said so. */
  readonly leaders: ReadonlyMap<number, NodeId>;
  /** The last times that the quorum was lost and the cluster recovered, oldest first. */
  readonly recoveries: readonly Recovery[];
}

export interface ChangeReport extends MemberChange {
  /** How many groups, the system group among them, are as far as the phase wants them, by what this node knows. */
  readonly groupsDone: number;
}

export class Members {
  readonly identities: Identities;
  readonly membership: Membership;
  readonly standings: Standings;
  readonly steering: Steering;
  readonly changes: MemberChanges;
  readonly peers: Peers;
  readonly #host: MembersHost;

  constructor(host: MembersHost) {
    const { config, recovered, header, links, liveness, clusterClock, tasks, senders } = host;
    const { network, log, random } = host.ports;
    const { node: self, members: configured, limits } = config;
    const { row, peers: incarnations, recovery } = recovered;
    const { founders, incarnation } = row;
    const { write, inTurn, submit, expelled } = host;
    const groups = (): readonly Group[] => host.groups();
    const nowMs = (): number => host.nowMs();
    const strangersMax = limits.membersMax;
    this.#host = host;
    if (recovery !== undefined) {
      const { formerId, takenFrom, givenUp, timeMs } = recovery;
      const nodes = { takenFrom: takenFrom.join(', '), givenUp: givenUp.join(', ') };
      log.warn('recovered', { clusterId: recovery.clusterId, formerId, ...nodes, timeMs });
    }
    this.identities = new Identities({ header, log, founders, incarnations, write });
    this.peers = new Peers({
      ...{ self, configured, network, links, liveness, clusterClock, log, strangersMax, nowMs },
    });
    const { identities, peers } = this;
    this.membership = new Membership({
      ...{ row, header, groups, links, liveness, identities, peers, log },
      ...{ write, inTurn, expelled },
    });
    const { membership } = this;
    this.standings = new Standings({
      groups,
      learners: () => membership.goal?.learners ?? [],
      change: () => membership.changing,
      systemLeader: () => groups()[SYSTEM_GROUP]!.lead,
      self,
      send: (to, standing) => links.sendStanding(to, standing),
    });
    const { standings } = this;
    this.steering = new Steering({
      ...{ self, incarnation, configured, recovery, membership, standings, log, submit },
      leadsSystem: () => groups()[SYSTEM_GROUP]!.takesMessages,
      incarnationOf: (node) => identities.incarnationOf(node),
      random: () => random.next(),
    });
    const isKnown = (): boolean => membership.isOfCluster;
    this.changes = new MemberChanges({ groups, limits, tasks, senders, nowMs, isKnown });
  }

  /** What messages to the members document go by. */
  get view(): MembersView {
    const { config, liveness, header } = this.#host;
    return {
      isReachable: (node) => node === config.node || liveness.isLive(node),
      lagOf: (node) => this.standings.lagOf(node, this.#host.nowMs()),
      groups: config.groups + 1,
      membersMax: config.limits.membersMax,
      get clusterId() {
        return header.clusterId;
      },
    };
  }

  /** Time-bound duties that need not be done every tick. */
  upkeep(nowMs: number): void {
    this.standings.tick(nowMs);
    this.steering.tick(nowMs);
    this.peers.tick(nowMs);
  }

  /** Where a node is, as last heard. */
  placeOf(node: NodeId): Member | undefined {
    const { own } = this.steering;
    if (own?.node === node) return own;
    return this.membership.members.find((member) => member.node === node);
  }

  report(): MembersReport {
    const { membership } = this;
    const { config, links } = this.#host;
    const { clusterId, founders } = membership;
    // Right after a recovery the document is still that of the cluster before.
    const state = membership.isOfCluster ? membership.state : undefined;
    const { own } = this.steering;
    return {
      clusterId,
      founders,
      highestNode: state?.last ?? 0,
      groups: config.groups,
      places: membership.members.map((member) => ({
        ...(member.node === own?.node ? own : member),
        reachable: member.node === config.node || links.isReachable(member.node),
      })),
      members: state?.nodes ?? [],
      change: state?.change && { ...state.change, groupsDone: this.#groupsDone(state.change) },
      changes: state?.changes ?? 0,
      leaders: state?.leaders ?? new Map(),
      recoveries: state?.recoveries ?? [],
    };
  }

  #groupsDone({ number, phase, node, promote }: MemberChange): number {
    // The leader of the system group knows better: copies here may be old, and who is in a group have to catch up.
    const steers = this.#host.groups()[SYSTEM_GROUP]!.takesMessages;
    if (phase === 'changing') {
      if (!steers) return this.membership.groupsDone;
      return this.standings.doneIn(number, this.#host.nowMs());
    }
    if (!promote || !steers) return this.membership.groupsWith(node);
    return this.view.groups - this.view.lagOf(node);
  }
}
