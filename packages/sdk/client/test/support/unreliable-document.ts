// A document that grows, and nodes that serve its watches badly.

import { DeltabaseError, encodeUtf8 } from '@deltabase/base';
import { encodePiece, fromJson, hashText, type Json, pieces } from '@deltabase/delta';
import { OnlyApart } from '../../src/transport/transport.js';
import type { Script } from './scripted-nodes.js';
import type { VirtualWorld } from './virtual-world.js';

/** A document that counts: at seq n its value is {n, big}. */
export class Truth {
  seq = 0;
  /** Deltas up to here are gone from the history. */
  floor = 0;

  stateEvents(): object[] {
    const root = fromJson(this.value(this.seq));
    const parts = [...pieces(root, 40)].map(encodePiece);
    return parts.map((piece, at) => {
      const last = at === parts.length - 1;
      return { state: { seq: this.seq, piece, last, hash: last ? hashText(root) : '' } };
    });
  }

  deltaEvent(seq: number): object {
    return { delta: this.delta(seq) };
  }

  delta(seq: number): object {
    const patch = encodeUtf8(JSON.stringify([{ op: 'replace', path: '/n', value: seq }]));
    const cause = {
      channel: 'add',
      payload: encodeUtf8('{"by":1}'),
      principal: 'somebody',
      messageId: `s/${seq}`,
      version: 1,
      fuel: 5,
      seed: 6,
    };
    const hash = hashText(fromJson(this.value(seq)));
    return { seq, patch, hash, timeMs: 1000 + seq, cause };
  }

  /** Deltas up to `seq` in one. */
  composedEvent(fromSeq: number, seq: number): object {
    const patch = encodeUtf8(JSON.stringify([{ op: 'replace', path: '/n', value: seq }]));
    return { composed: { fromSeq, seq, patch, hash: hashText(fromJson(this.value(seq))) } };
  }

  value(seq: number): Json {
    return seq === 0 ? null : { n: seq, big: 'abc'.repeat(30), list: [1, 2, 3] };
  }
}

/** Serves the truth, and now and then ends, repeats, leaves something out, or goes on only apart; and names copies. */
export function unreliable(
  world: VirtualWorld,
  truth: Truth,
  copies: readonly string[] = [],
): Script {
  async function* events(request: {
    readonly afterSeq?: number;
    readonly policy?: string;
  }): AsyncGenerator<object> {
    const composes = request.policy === 'WATCH_POLICY_LATEST';
    if (request.afterSeq !== undefined && request.afterSeq < truth.floor) {
      throw new DeltabaseError('HISTORY_GONE', 'gone');
    }
    let next = request.afterSeq === undefined ? truth.seq + 1 : request.afterSeq + 1;
    if (request.afterSeq === undefined) {
      for (const event of truth.stateEvents()) {
        yield event;
        if (world.below(20) === 0) throw new DeltabaseError('UNAVAILABLE', 'broke in the state');
      }
    }
    for (;;) {
      await new Promise<void>((resolve) => world.after(world.below(10), resolve));
      if (composes && next < truth.seq) {
        const fromSeq = next - 1;
        const { seq } = truth;
        next = seq + 1;
        if (fromSeq > 0 && world.below(4) === 0) yield* truth.stateEvents();
        else yield truth.composedEvent(fromSeq, seq);
        if (world.below(5) === 0) yield truth.composedEvent(fromSeq, seq);
        // What leads on from somewhere else, which the client must not believe.
        if (world.below(10) === 0) yield truth.composedEvent(seq + 1, seq + 3);
      }
      while (next <= truth.seq) {
        yield truth.deltaEvent(next);
        if (world.below(15) === 0 && next > 1) yield truth.deltaEvent(next - 1);
        next++;
        if (world.below(10) === 0) throw new DeltabaseError('UNAVAILABLE', 'broke in the deltas');
        if (world.below(20) === 0) return;
        // A gap, which the next one shows: the client must not believe it.
        if (next < truth.seq && world.below(25) === 0) next++;
      }
    }
  }
  return {
    async *stream(_name, request, { apart = false }) {
      for await (const event of events(request)) {
        if (!apart && world.below(40) === 0) throw new OnlyApart('it is read too slowly');
        const isDelta = 'delta' in event;
        const known = copies.length > 0 && world.below(6) === 0 ? copies : [];
        yield { events: isDelta && world.below(2) === 0 ? [event, event] : [event], copies: known };
      }
    },
  };
}
