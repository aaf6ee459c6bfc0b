// A replica whose upstreams and clock do what a test says.

import { DEFAULT_LIMITS, type Limits } from '@deltabase/base';
import type { Log, LogFields } from '../../src/ports.js';
import { Replica } from '../../src/replica/replica.js';
import type { ReadMode, ReadResult } from '../../src/streams/reads.js';
import type { WatchRequest } from '../../src/streams/watches.js';
import { ManualClock } from './manual-clock.js';
import { type ScriptedUpstream, ScriptedUpstreams } from './scripted-upstreams.js';
import { KeepingSink } from './watch-sink.js';

export interface BenchOptions {
  readonly addresses?: readonly string[];
  readonly limits?: Partial<Limits>;
}

export class ReplicaBench {
  readonly clock = new ManualClock();
  readonly upstreams = new ScriptedUpstreams();
  /** Events of the log. */
  readonly logged: string[] = [];
  readonly replica: Replica;

  constructor({ addresses = ['a:1', 'b:1'], limits = {} }: BenchOptions = {}) {
    const line = (event: string, _fields?: LogFields): void => void this.logged.push(event);
    const log: Log = { debug: line, info: line, warn: line, error: line };
    const random = { next: () => 0 };
    const ports = { clock: this.clock, random, upstreams: this.upstreams, log };
    this.replica = new Replica(ports, {
      name: 'r1',
      upstreams: addresses,
      limits: { ...DEFAULT_LIMITS, ...limits },
    });
  }

  /** The present connection. */
  get up(): ScriptedUpstream {
    return this.upstreams.latest;
  }

  /** The present upstream leads to a node from now on. */
  live(via: readonly string[] = []): ScriptedUpstream {
    this.up.origin(via);
    this.clock.settle();
    return this.up;
  }

  /** A read, and its answer once there is one. */
  read(key: string, mode: ReadMode = { kind: 'linearizable' }, withinMs = 5000): Answered {
    const answered: Answered = { result: undefined };
    const expiresMs = this.clock.monotonicMs() + withinMs;
    const request = { space: 'log', key, pointer: '', mode, atSeq: undefined, expiresMs };
    this.replica.read(request, (result) => {
      answered.result = result;
    });
    this.clock.settle();
    return answered;
  }

  watch(key: string, request: Partial<WatchRequest> = {}): KeepingSink {
    const sink = new KeepingSink();
    sink.watch = this.replica.watch({ space: 'log', key, afterSeq: undefined, ...request }, sink);
    this.clock.settle();
    return sink;
  }

  /** Lets the other end say something, and the replica handle it. */
  say(what: (up: ScriptedUpstream) => void): void {
    what(this.up);
    this.clock.settle();
  }
}

export interface Answered {
  result: ReadResult | undefined;
}

/** An answer in a word: the seq, or the code of a failure; `undefined`: none. */
export function wordOf({ result }: Answered): number | string | undefined {
  return result?.kind === 'value' ? result.seq : result?.code;
}
