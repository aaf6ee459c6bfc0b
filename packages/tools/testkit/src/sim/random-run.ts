// One run of a whole cluster under faults, made from a seed: clients send, read and watch while nodes crash,
// stall and lose their disks' writes, links fail and machines are replaced; in the end everything is healed and
// every promise is checked. Equal seeds give equal runs, event for event.

import { createHash } from 'node:crypto';
import type { Prng } from '@deltabase/base';
import type { NodeId } from '@deltabase/engine';
import type { SimulatedClient } from '../cluster/simulated-client.js';
import { TokenCluster } from '../cluster/token-cluster.js';
import { countSnapshots } from '../disk/stored-snapshots.js';
import { TOKEN_MODULES, type TokenChannel } from '../machines/token-machine.js';
import { drawLimits } from './random-limits.js';

export interface RandomRunOptions {
  readonly seed: number;
  /** For how long there are faults, ms of virtual time. Default 5000. */
  readonly forMs?: number;
  /** Told of every log line and answer. */
  readonly trace?: (line: string) => void;
  /** How often things happened, by what they are; a set of runs that never saw one of them proves little. */
  readonly coverage?: Map<string, number>;
}

/** What a run of the seed amounts to; equal for equal seeds. */
export interface RandomRunResult {
  /** Of every log line and every answer, in order. */
  readonly hash: string;
  readonly events: number;
  readonly accepted: number;
}

type Action = (run: RandomRun) => void;

const CHANNELS: readonly TokenChannel[] = [
  'append',
  'append',
  'append',
  'append_much',
  'look',
  'refuse',
  'append_and_refuse',
];

/** Throws what the run finds wrong; see docs of the tests for how to run one seed alone. */
export function randomRun(options: RandomRunOptions): RandomRunResult {
  return new RandomRun(options).run();
}

class RandomRun {
  readonly tokens: TokenCluster;
  readonly chance: Prng;
  readonly coverage: Map<string, number>;
  readonly #forMs: number;
  readonly #hash = createHash('sha256');
  readonly #clients: SimulatedClient[];
  readonly #keys: string[];
  /** What may go wrong in this run, each as often as it was drawn. */
  readonly #faults: Array<readonly [Action, number]>;
  #endMs = 0;

  constructor({ seed, forMs = 5000, trace, coverage = new Map() }: RandomRunOptions) {
    this.#forMs = forMs;
    this.coverage = coverage;
    const draw = this.#prngOf(seed);
    this.tokens = new TokenCluster({
      seed,
      nodes: draw.below(5) === 0 ? 5 : 3,
      groups: 1 + draw.below(3),
      limits: drawLimits(draw),
      trace: (line) => {
        this.#hash.update(line);
        this.#cover(line);
        trace?.(line);
      },
    });
    this.chance = this.tokens.cluster.simulation.random.fork('run');
    this.#keys = Array.from({ length: 1 + draw.below(6) }, (_, at) => `k${at}`);
    const clients = 2 + draw.below(4);
    this.#clients = Array.from({ length: clients }, (_, at) =>
      this.tokens.client(`c${at}`, { ordered: draw.below(2) === 0 }),
    );
    this.#faults = FAULTS.map(([action, mean]) => {
      const isOn = draw.below(2) === 0;
      return [action, isOn ? mean * (0.5 + draw.fraction() * 2) : Infinity] as const;
    });
  }

  run(): RandomRunResult {
    const { tokens } = this;
    const { simulation } = tokens.cluster;
    tokens.start();
    this.#endMs = simulation.nowMs + this.#forMs;
    for (const client of this.#clients)
      this.#often(10 + this.chance.below(100), () => this.#act(client));
    for (const [action, meanMs] of this.#faults) this.#often(meanMs, () => action(this));
    for (const [at, key] of this.#keys.entries()) tokens.watch(`w${at}`, key, 300 * (at % 2));
    tokens.run(this.#forMs);
    tokens.check();
    this.#coverEnd();
    const histories = [...tokens.histories.values()];
    const accepted = histories.reduce((sum, { acceptedCount }) => sum + acceptedCount, 0);
    return { hash: this.#hash.digest('hex'), events: simulation.events, accepted };
  }

  count(what: string, times = 1): void {
    this.coverage.set(what, (this.coverage.get(what) ?? 0) + times);
  }

  /** A node that runs; `undefined` if none does. */
  anyUp(): NodeId | undefined {
    const { cluster } = this.tokens;
    const up = cluster.ids.filter((id) => cluster.isUp(id));
    return up.length === 0 ? undefined : up[this.chance.below(up.length)];
  }

  /** Calls `run` up to `meanMs` times two from now, unless the faults have ended by then. */
  later(meanMs: number, run: () => void): void {
    this.tokens.cluster.simulation.schedule(this.chance.fraction() * 2 * meanMs, () => {
      if (this.tokens.cluster.simulation.nowMs < this.#endMs) run();
    });
  }

  #prngOf(seed: number): Prng {
    return new TokenCluster({ seed }).cluster.simulation.random.fork('options');
  }

  #often(meanMs: number, run: () => void): void {
    if (meanMs === Infinity) return;
    this.later(meanMs, () => {
      run();
      this.#often(meanMs, run);
    });
  }

  #act(client: SimulatedClient): void {
    const { chance } = this;
    const key = this.#keys[chance.below(this.#keys.length)]!;
    const choice = chance.below(8);
    if (choice === 0) client.read(key, { kind: 'linearizable' });
    else if (choice === 1) client.read(key, { kind: 'stale' });
    else if (choice === 2) client.read(key, { kind: 'atLeast', seq: chance.below(60) });
    else if (choice === 3) this.#retryOld(client);
    else if (client.openCount < 20) {
      for (let count = 1 + chance.below(4); count > 0; count--) {
        client.send(key, CHANNELS[chance.below(CHANNELS.length)]!);
      }
    }
  }

  /** A message that has its answer is sent again, as by a client that never got it. */
  #retryOld(client: SimulatedClient): void {
    const { sendings } = client;
    const answered = sendings.slice(-20).filter(({ result }) => result?.kind === 'accepted');
    if (answered.length === 0) return;
    this.count('an answered message was sent again');
    client.retry(answered[this.chance.below(answered.length)]!);
  }

  #cover(line: string): void {
    for (const [what, sign] of SIGNS) if (line.includes(sign)) this.count(what);
  }

  #coverEnd(): void {
    const { cluster, watches, clients } = this.tokens;
    for (const id of cluster.ids)
      this.count('a snapshot was installed', countSnapshots(cluster.rows(id)));
    for (const { begun } of watches) this.count('a watch went on behind a seq', begun.behindSeq);
    for (const { sendings } of clients) {
      const retried = sendings.filter(({ attempts }) => attempts > 1).length;
      this.count('a message was sent again', retried);
    }
    for (const engine of cluster.engines()) {
      const { counters, groups } = engine.status();
      this.count('a message was passed on', counters.messagesForwarded);
      const compacted = groups.filter(({ firstIndex }) => firstIndex > 1).length;
      this.count('a log was compacted', compacted);
      this.count('a leader was elected anew', groups.filter(({ term }) => term > 2).length);
    }
  }
}

/** Log lines and answers that tell of something that runs are there to see. */
const SIGNS: ReadonlyArray<readonly [string, string]> = [
  ['a group fell asleep', ' debug asleep '],
  ['a group woke for a message', '"why":"message"'],
  ['a group woke for what was to be done', '"why":"unrest"'],
  ['a group woke since its leader was lost', '"why":"leader-lost"'],
  ['a message was answered OVERLOADED', ' OVERLOADED '],
  ['a message was answered OUT_OF_ORDER', ' OUT_OF_ORDER '],
  ['a message was answered UNAVAILABLE', ' UNAVAILABLE '],
  ['a message was answered DEADLINE_EXCEEDED', ' DEADLINE_EXCEEDED '],
];

/** What may go wrong, and how long on average until it does, ms of virtual time. */
const FAULTS: ReadonlyArray<readonly [Action, number]> = [
  [crash, 700],
  [stall, 800],
  [cutOneWay, 600],
  [isolate, 1000],
  [changeWeather, 800],
  [failDisk, 1500],
  [replaceMachine, 1500],
  [skewClock, 1000],
];

function crash(run: RandomRun): void {
  const id = run.anyUp();
  if (id === undefined) return;
  const inFlight = run.chance.below(2) === 0 ? 'kept' : 'lost';
  run.count(`a node crashed and what it was writing was ${inFlight}`);
  run.tokens.cluster.crash(id, inFlight);
  startLater(run, id);
}

function failDisk(run: RandomRun): void {
  const id = run.anyUp();
  if (id === undefined) return;
  run.count('a disk failed');
  run.tokens.cluster.failDisk(id);
  startLater(run, id);
}

function startLater(run: RandomRun, id: NodeId): void {
  const { cluster } = run.tokens;
  run.later(400, () => {
    if (!cluster.isRunning(id)) cluster.startNode(id);
  });
}

function stall(run: RandomRun): void {
  const id = run.anyUp();
  if (id === undefined) return;
  run.count('a node stalled');
  run.tokens.cluster.pause(id);
  run.later(500, () => run.tokens.cluster.resume(id));
}

function cutOneWay(run: RandomRun): void {
  const { cluster } = run.tokens;
  const [from, to] = [run.chance, run.chance].map((chance) => 1 + chance.below(cluster.ids.length));
  if (from === to) return;
  run.count('a link was cut one way');
  cluster.setLink(from!, to!, 'cut');
  run.later(400, () => cluster.setLink(from!, to!, 'whole'));
}

function isolate(run: RandomRun): void {
  const { cluster } = run.tokens;
  const id = 1 + run.chance.below(cluster.ids.length);
  run.count('a node was cut off');
  cluster.setLinks(id, 'cut');
  run.later(600, () => cluster.setLinks(id, 'whole'));
}

function changeWeather(run: RandomRun): void {
  const { chance } = run;
  run.count('the weather changed');
  Object.assign(run.tokens.cluster.weather, {
    dropRate: chance.below(2) === 0 ? 0 : chance.fraction() * 0.3,
    duplicateRate: chance.below(2) === 0 ? 0 : chance.fraction() * 0.3,
    delayMsMax: [1, 5, 40, 200][chance.below(4)]!,
    writeMsMax: [0.1, 3, 30, 150][chance.below(4)]!,
  });
}

function replaceMachine(run: RandomRun): void {
  const node = run.anyUp();
  if (node === undefined) return;
  const { cluster } = run.tokens;
  const module = TOKEN_MODULES[run.chance.below(TOKEN_MODULES.length)]!;
  const expiresMs = cluster.simulation.nowMs + 5000;
  const request = {
    space: 'tokens',
    module,
    expectedVersion: undefined,
    principal: 'run',
    expiresMs,
  };
  cluster.engine(node).deploy(request, (result) => {
    if (result.kind === 'deployed') run.count('a machine was replaced');
  });
}

function skewClock(run: RandomRun): void {
  const id = 1 + run.chance.below(run.tokens.cluster.ids.length);
  run.count('a wall clock was wrong');
  run.tokens.cluster.setWallOffset(id, run.chance.below(20_000) - 10_000);
}
