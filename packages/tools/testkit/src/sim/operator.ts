// The operator of a run: has members changed and groups handed over through any node, as `deltabase cluster` does, and
// starts the nodes that come. It asks for nothing after which a majority of the voters could be damaged nodes: no
// cluster survives that.

import type { Prng } from '@deltabase/base';
import type { MembersOrder, MembersReport, MembersResult, NodeId } from '@deltabase/engine';
import { simulatedMember } from '../cluster/simulated-node.js';
import { anyUp, type FaultHost } from './faults/fault.js';

export interface OperatorOptions {
  readonly run: FaultHost;
  /** Whether a node has lost data for good. */
  readonly isDamaged: (id: NodeId) => boolean;
}

/** An order that has no answer yet, and may never get one. */
interface OpenOrder {
  readonly through: NodeId;
  readonly life: number;
  readonly untilMs: number;
}

const ORDER_MS = 3000;
/** Clocks go at twice the rate or half of it. */
const ANSWER_MS = 4 * ORDER_MS;
const JOIN_MS = 60;
const LOOK_MS = 50;
/** Answers that mean that nothing was done, and nothing will be. */
const REFUSALS = new Set(['MEMBERS_REFUSED', 'NODE_NOT_FOUND', 'INVALID_ARGUMENT']);

export class Operator {
  readonly #options: OperatorOptions;
  readonly #open = new Set<OpenOrder>();
  /** An order had no answer that says what will become of it: it may take effect at any time. */
  #isUncertain = false;
  /** The last change that was begun; those who know of it may all be down. */
  #lastBegun = 0;

  constructor(options: OperatorOptions) {
    this.#options = options;
  }

  /** The members as the node has them that knows most of those that run; `undefined`: nobody knows them. */
  get report(): MembersReport | undefined {
    const reports = this.#cluster.engines().map((engine) => engine.members());
    const known = reports.filter(({ members }) => members.length > 0);
    return known.reduce<MembersReport | undefined>(
      (best, one) => (best === undefined || isLater(one, best) ? one : best),
      undefined,
    );
  }

  /** The same, unless a change is under way or may begin because of what was asked for earlier. */
  get settledReport(): MembersReport | undefined {
    const { report } = this;
    if (report === undefined || report.change !== undefined) return undefined;
    const isSettled = !this.#isUncertain && this.#open.size === 0;
    return isSettled && report.changes >= this.#lastBegun ? report : undefined;
  }

  /** The next node that may come. */
  get nextId(): NodeId {
    return 1 + Math.max(this.report?.highestNode ?? 0, ...this.#cluster.everyId);
  }

  /** Asks for a change through any node, unless it would be too dangerous. */
  order(order: MembersOrder, chance: Prng): void {
    const through = anyUp(this.#run, chance);
    if (through === undefined || !this.#isSafe(order)) return;
    const { simulation } = this.#cluster;
    const life = this.#cluster.lifeOf(through);
    const open = { through, life, untilMs: simulation.nowMs + ANSWER_MS };
    this.#open.add(open);
    const expiresMs = this.#cluster.monotonicMs(through) + ORDER_MS;
    const request = { ...order, principal: 'operator', expiresMs };
    this.#cluster.engine(through).changeMembers(request, (result) => {
      this.#open.delete(open);
      this.#answered(order, result);
    });
    if ('member' in order) this.#mayCome(order.member.node, chance);
  }

  /** Has a node lead a group. */
  transfer(group: number, node: NodeId | undefined, chance: Prng): void {
    const through = anyUp(this.#run, chance);
    if (through === undefined) return;
    const expiresMs = this.#cluster.monotonicMs(through) + ORDER_MS;
    const request = { group, node, principal: 'operator', expiresMs };
    this.#cluster.engine(through).transfer(request, (result) => {
      if (result.kind === 'transferred') this.#run.count('a group was handed over by order');
    });
  }

  /** The cluster is healed: every order gets its answer, whoever is to come does, every change is brought to its end. */
  settle(): void {
    this.#cluster.simulation.pollUntil(() => {
      const { report } = this;
      for (const { node } of report?.members ?? []) this.#join(node);
      return report !== undefined && report.change === undefined && !this.#awaitsAnswers;
    }, LOOK_MS);
  }

  get #run(): FaultHost {
    return this.#options.run;
  }

  get #cluster() {
    return this.#run.cluster;
  }

  get #awaitsAnswers(): boolean {
    const { simulation } = this.#cluster;
    return [...this.#open].some(
      ({ through, life, untilMs }) =>
        this.#cluster.lifeOf(through) === life && simulation.nowMs < untilMs,
    );
  }

  #answered({ kind }: MembersOrder, result: MembersResult): void {
    if (result.kind === 'begun') {
      this.#lastBegun = Math.max(this.#lastBegun, result.number);
      this.#run.count(`a change was begun: ${kind}`);
    } else if (REFUSALS.has(result.code)) this.#run.count('a change was refused');
    else this.#isUncertain = true;
  }

  /** Most nodes that are added are started soon; some not before the end. */
  #mayCome(node: NodeId, chance: Prng): void {
    if (chance.below(6) === 0) return;
    const look = (left: number): void => {
      const isMember = this.report?.members.some((one) => one.node === node);
      if (isMember === true) this.#join(node);
      else if (left > 0) this.#run.later(JOIN_MS, chance, () => look(left - 1));
    };
    this.#run.later(JOIN_MS, chance, () => look(20));
  }

  #join(node: NodeId): void {
    if (this.#cluster.everyId.includes(node)) return;
    const knowing = this.#cluster.ids.find(
      (id) => this.#cluster.isUp(id) && this.#cluster.engine(id).members().clusterId !== '',
    );
    if (knowing === undefined) return;
    this.#run.count('a node joined');
    this.#cluster.joinNode(node, knowing);
  }

  /** Whether a majority of the voters is whole before, while and after the change is made, whatever else is under way. */
  #isSafe(order: MembersOrder): boolean {
    const { report } = this;
    if (report === undefined) return false;
    const { isDamaged } = this.#options;
    const voters = report.members.filter(({ role }) => role === 'voter').map(({ node }) => node);
    if (order.kind === 'promote') return !isDamaged(order.node);
    if (order.kind !== 'remove') return true;
    const staying = voters.filter((id) => id !== order.node);
    const damaged = staying.filter(isDamaged).length;
    if (damaged > 0 && this.settledReport === undefined) return false;
    return 2 * damaged < staying.length;
  }
}

/** Whether `a` knows of a later state of the members than `b`. */
function isLater(a: MembersReport, b: MembersReport): boolean {
  return a.changes === b.changes ? stageOf(a) > stageOf(b) : a.changes > b.changes;
}

function stageOf({ change }: MembersReport): number {
  if (change === undefined) return 2;
  return change.phase === 'changing' ? 1 : 0;
}

/** The node under an id that was never used. */
export function newMember(operator: Operator) {
  return simulatedMember(operator.nextId);
}
