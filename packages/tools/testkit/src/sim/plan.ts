// What a run does, drawn from its seed: plain data, printed when the run fails. Each run draws which faults it has
// and how often, many of them none: faults that are always there hide what only happens without them.

import { type Limits, makePrng, type Prng } from '@deltabase/base';
import type { WatchPolicy } from '@deltabase/engine';
import type { ReplicaOptions } from '../cluster/simulated-replica.js';
import { drawLimits } from './draw-limits.js';
import { drawReplicas } from './draw-replicas.js';
import { FAULTS } from './faults/index.js';

/** What a run is made with, beside its seed; to repeat a part of one. */
export interface PlanChanges {
  /** Names or kinds of faults that are left out. */
  readonly without?: readonly string[];
  /** Faults begin before this only, ms after the first. */
  readonly faultsUntilMs?: number;
  /** For how long clients are active, ms. */
  readonly forMs?: number;
}

/** The command that runs a seed with these changes. */
export function commandOf(
  seed: number,
  { forMs, faultsUntilMs, without = [] }: PlanChanges,
): string {
  const parts = [
    `npm run sim -- --seed ${seed}`,
    ...(forMs === undefined ? [] : [`--for ${forMs}`]),
    ...(faultsUntilMs === undefined ? [] : [`--until ${faultsUntilMs}`]),
    ...(without.length === 0 ? [] : [`--without ${without.join(',')}`]),
  ];
  return parts.join(' ');
}

export interface Plan {
  readonly seed: number;
  readonly nodes: number;
  readonly groups: number;
  readonly machines: 'script' | 'wasm';
  /** Every frame is held against its sender's disk. */
  readonly checksFrames: boolean;
  readonly limits: Partial<Limits>;
  readonly lists: number;
  readonly registers: number;
  readonly watches: readonly WatchPlan[];
  /** Processes that follow the nodes, and what they follow. Which documents they keep is for heat, and readers. */
  readonly replicas: readonly ReplicaOptions[];
  readonly clients: readonly ClientPlan[];
  /** For how long clients are active, ms of virtual time. */
  readonly forMs: number;
  readonly faultsUntilMs: number;
  /** Frames keep their order within a lane, as in connections. */
  readonly orderedFrames: boolean;
  /** How long until each fault happens, on average, ms; those that are not named do not. */
  readonly faults: Readonly<Record<string, number>>;
}

export interface WatchPlan {
  readonly policy: WatchPolicy;
  /** It watches these positions of its list; none: all of it. */
  readonly positions: readonly number[];
  /** It goes to another process of its own accord so often, on average, ms; `undefined`: never. */
  readonly moveMs: number | undefined;
}

export interface ClientPlan {
  /** It keeps the order of its messages to a document. */
  readonly ordered: boolean;
  /** Between what it does, on average, ms. */
  readonly paceMs: number;
  /** Messages of it that may be open at once. */
  readonly openMax: number;
}

/** A fault that proves little while logs reach back for long. */
const LAGGING = 'replace-while-lagging';
const SHORT_LOGS: Partial<Limits> = {
  flushIntervalMs: 100,
  trailingLogBytesMax: 0,
  heldLogBytesMax: 0,
};

/** The plan of a seed. */
export function drawPlan(seed: number, changes: PlanChanges = {}): Plan {
  const chance = makePrng(seed).fork('plan');
  const { forMs, pace } = drawLength(chance);
  const faults = drawFaults(chance.fork('faults'), pace);
  const limits = chance.below(4) === 0 ? {} : drawLimits(chance.fork('limits'));
  const nodes = drawNodes(chance);
  const replicas = drawReplicas(chance.fork('replicas'), { nodes, limits });
  const plan: Plan = {
    ...{ seed, nodes, replicas },
    groups: drawGroups(chance),
    machines: chance.below(3) === 0 ? 'wasm' : 'script',
    checksFrames: chance.below(3) === 0,
    limits: { ...limits, ...(LAGGING in faults && SHORT_LOGS) },
    lists: 1 + chance.below(6),
    registers: chance.below(3),
    watches: drawWatches(chance.below(4) + 2 * replicas.length, chance),
    clients: Array.from({ length: 2 + chance.below(4) }, () =>
      drawClient(chance, { pace, limits }),
    ),
    forMs,
    faultsUntilMs: forMs,
    orderedFrames: chance.below(2) === 0,
    faults,
  };
  return changed(plan, changes);
}

/** Where messages of a group have one place or two, those of a client with many open ones leave none to the others. */
const NARROW: ReadonlyArray<keyof Limits> = ['uncommittedBytesMax', 'groupQueueMax', 'forwardsMax'];

function drawClient(
  chance: Prng,
  { pace, limits }: { readonly pace: number; readonly limits: Partial<Limits> },
): ClientPlan {
  const ordered = chance.below(2) === 0;
  const paceMs = pace * (10 + chance.below(100));
  // Of many open messages in order only one can be taken at a time.
  const mayHaveMany = !ordered && !NARROW.some((limit) => limit in limits);
  return { ordered, paceMs, openMax: chance.below(8) === 0 && mayHaveMany ? 150 : 20 };
}

/** Most runs are short; in long ones, where stalls of half a minute fit, clients take their time. */
function drawLength(chance: Prng): { readonly forMs: number; readonly pace: number } {
  const choice = chance.below(40);
  if (choice === 0) return { forMs: 60_000, pace: 12 };
  if (choice < 5) return { forMs: 15_000, pace: 3 };
  return { forMs: 3000 + chance.below(3000), pace: 1 };
}

function drawNodes(chance: Prng): number {
  const choice = chance.below(16);
  if (choice === 0) return 1;
  return choice < 5 ? 5 : 3;
}

function drawWatches(count: number, chance: Prng): WatchPlan[] {
  const policies = chance.fork('watches');
  const views = chance.fork('views');
  const moves = chance.fork('moves');
  return Array.from({ length: count }, () => {
    const isOfView = views.below(2) === 0;
    const positions = isOfView ? drawPositions(views) : [];
    const moveMs = [undefined, 300, 1000, 3000][moves.below(4)];
    return { policy: drawPolicy(policies), positions, moveMs };
  });
}

function drawPolicy(chance: Prng): WatchPolicy {
  const choice = chance.below(3);
  if (choice === 0) return { kind: 'every' };
  if (choice === 1) return { kind: 'latest' };
  return { kind: 'perSecond', perSecond: [2, 10, 50][chance.below(3)]! };
}

/** Up to eight of the first positions of a list, each once. */
function drawPositions(chance: Prng): number[] {
  const count = 1 + chance.below(8);
  const positions = new Set(Array.from({ length: count }, () => chance.below(60)));
  return [...positions].sort((a, b) => a - b);
}

function drawGroups(chance: Prng): number {
  const choice = chance.below(8);
  return choice < 6 ? 1 + chance.below(3) : 4 + chance.below(5);
}

/** Half of the runs change members; those have most of such faults, since they need each other. */
const MEMBERS_ODDS = 0.6;

function drawFaults(chance: Prng, pace: number): Record<string, number> {
  // From hardly any to nearly all.
  const share = chance.fraction();
  const changesMembers = chance.below(2) === 0;
  const drawn: Record<string, number> = {};
  for (const { name, kind, meanMs } of FAULTS) {
    // Each draws by itself, so that a fault more changes no other one of a seed.
    const own = chance.fork(name);
    const isMembers = kind === 'members';
    const odds = isMembers ? MEMBERS_ODDS : share * 0.8;
    const isOn = own.fraction() < odds && (changesMembers || !isMembers);
    const rate = 0.5 + own.fraction() * 2;
    if (isOn) drawn[name] = Math.round(meanMs * rate * Math.sqrt(pace));
  }
  return drawn;
}

function changed(
  plan: Plan,
  { without = [], faultsUntilMs, forMs = plan.forMs }: PlanChanges,
): Plan {
  const kept = FAULTS.filter(({ name, kind }) => ![name, kind].some((it) => without.includes(it)));
  const faults = Object.fromEntries(
    Object.entries(plan.faults).filter(([name]) => kept.some((fault) => fault.name === name)),
  );
  return { ...plan, forMs, faults, faultsUntilMs: Math.min(faultsUntilMs ?? forMs, forMs) };
}
