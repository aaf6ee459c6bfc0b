// Watches through pointers: what comes folds to the view, each step fits what is there, and a node that sends anything
// else is not believed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeltabaseError, encodeUtf8 } from '@deltabase/base';
import {
  applyPatch,
  diffValues,
  encodePatch,
  encodePiece,
  filterOf,
  fromJson,
  hashText,
  type Json,
  parsePatch,
  pieces,
  type Value,
  viewOf,
} from '@deltabase/delta';
import fc from 'fast-check';
import type { ViewEvent } from '../src/index.js';
import { connectIn, type Script, ScriptedNodes, settled } from './support/scripted-nodes.js';
import { VirtualWorld } from './support/virtual-world.js';

const POINTERS = ['/a', '/list/1'] as const;
const FILTER = filterOf(POINTERS);

/** At seq n: what is watched changes with every fourth delta, and an element moves with every tenth. */
function documentAt(seq: number): Value {
  const list = Array.from({ length: Math.floor(seq / 10) }, (_, at) => ({ at, seq: seq - at }));
  return fromJson({ a: Math.floor(seq / 4), b: seq, list: list.map(({ at }) => 100 - at) });
}

function viewAt(seq: number): Value {
  return viewOf(documentAt(seq), FILTER);
}

function isSame(seq: number, other: number): boolean {
  return hashText(viewAt(seq)) === hashText(viewAt(other));
}

function viewEvents(seq: number, root = viewAt(seq)): object[] {
  const parts = [...pieces(root, 30)].map(encodePiece);
  return parts.map((piece, at) => {
    const last = at === parts.length - 1;
    return { state: { seq, piece, last, hash: last ? hashText(root) : '' } };
  });
}

function stepEvent(fromSeq: number, seq: number): object {
  const patch = encodePatch(diffValues(viewAt(fromSeq), viewAt(seq)));
  return { composed: { fromSeq, seq, patch, hash: hashText(viewAt(seq)) } };
}

/** Serves views as nodes do, and now and then ends, repeats, or leaves something out. */
function unreliable(world: VirtualWorld, now: { seq: number }): Script {
  async function* events(afterSeq: number | undefined): AsyncGenerator<object> {
    let seq = afterSeq ?? now.seq;
    if (afterSeq === undefined || (!isSame(afterSeq, now.seq) && world.below(3) === 0)) {
      seq = now.seq;
      yield* viewEvents(seq);
    }
    let since = seq;
    let isHiding = false;
    for (;;) {
      await new Promise<void>((resolve) => world.after(world.below(10), resolve));
      while (seq < now.seq) {
        seq++;
        if (isSame(seq, since)) continue;
        // A step may begin anywhere since the one before; and what is left out here must be noticed.
        isHiding = world.below(25) === 0;
        if (!isHiding) yield stepEvent(since, seq);
        if (!isHiding && world.below(10) === 0) yield stepEvent(since, seq);
        since = seq;
        if (world.below(15) === 0) throw new DeltabaseError('UNAVAILABLE', 'broke');
      }
      if (world.below(5) === 0 && !isHiding) yield { progress: { seq } };
      if (world.below(40) === 0) return;
    }
  }
  return {
    async *stream(_name, request) {
      const { afterSeq } = request as { readonly afterSeq?: number };
      for await (const event of events(afterSeq)) yield { events: [event] };
    },
  };
}

test('a watch through pointers folds to the view at each seq, wherever its streams break', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(0x7fffffff), fc.boolean(), async (seed, isResumed) => {
      const world = new VirtualWorld(seed);
      const now = { seq: world.below(9) };
      const script = unreliable(world, now);
      const nodes = new ScriptedNodes(world, [script, script]);
      const client = await connectIn(world, { addresses: nodes.addresses, transport: nodes });
      const afterSeq = isResumed ? now.seq : undefined;
      const events: ViewEvent[] = [];
      const watching = (async () => {
        const behind = isResumed ? { afterSeq: now.seq } : {};
        for await (const event of client
          .document('s', 'k')
          .watch({ pointers: POINTERS, ...behind })) {
          events.push(event);
          if (event.seq >= 60) break;
        }
      })();
      const grow = (): void => {
        if (now.seq >= 64) return;
        now.seq++;
        world.after(world.below(8), grow);
      };
      grow();
      await settled(world, watching);
      check(events, afterSeq);
      await settled(world, client.close());
    }),
    { numRuns: 100, includeErrorInReport: true },
  );
});

function check(events: readonly ViewEvent[], afterSeq: number | undefined): void {
  let seq = afterSeq;
  let view = afterSeq === undefined ? undefined : viewAt(afterSeq);
  for (const event of events) {
    assert.ok(seq === undefined || event.seq > seq, 'each event leads on');
    seq = event.seq;
    if (event.kind === 'state') view = fromJson(event.value);
    else if (event.kind === 'composed') {
      view = applyPatch(view!, parsePatch(event.patch as unknown as Json));
    }
    assert.equal(hashText(view!), hashText(viewAt(seq)), `the view at ${seq}`);
  }
}

/** The first outcome of a watch of nodes that send `events`. */
async function firstOf(events: readonly object[], count = 1): Promise<unknown> {
  const world = new VirtualWorld(1);
  const script: Script = {
    async *stream() {
      for (const event of events) yield { events: [event] };
      throw new DeltabaseError('UNAVAILABLE', 'the script ends');
    },
  };
  const nodes = new ScriptedNodes(world, [script]);
  const client = await connectIn(world, { addresses: nodes.addresses, transport: nodes });
  const watch = client.document('s', 'k').watch({ pointers: ['/a', '/list/1'], deadlineMs: 1000 });
  try {
    for (let given = 1; given < count; given++) await settled(world, watch.next());
    return (await settled(world, watch.next())).value;
  } catch (thrown) {
    return thrown;
  } finally {
    await settled(world, watch.return!());
    await settled(world, client.close());
  }
}

test('a node that sends more than the view is not believed', async () => {
  const whole = (await firstOf(viewEvents(20, documentAt(20)))) as DeltabaseError;
  const delta = { delta: { seq: 21, patch: encodeUtf8('[]'), hash: '', timeMs: 1, cause: null } };
  const more = (await firstOf([...viewEvents(20), delta], 2)) as DeltabaseError;
  assert.deepEqual([whole.code, more.code], ['INTERNAL', 'INTERNAL']);
  assert.match(whole.message, /older than this client/);
});

test('a step that does not make the view of its hash is not given', async () => {
  const wrong = { composed: { fromSeq: 20, seq: 24, patch: encodeUtf8('[]'), hash: 'abc' } };
  const thrown = (await firstOf([...viewEvents(20), wrong], 2)) as DeltabaseError;
  assert.equal(thrown.code, 'DATA_CORRUPT');
});

test('a step from beyond what is there is not believed: the watch asks again', async () => {
  const world = new VirtualWorld(1);
  const requests: object[] = [];
  const script: Script = {
    async *stream(_name, request) {
      requests.push(request);
      const isFirst = requests.length === 1;
      yield { events: isFirst ? [...viewEvents(20), stepEvent(24, 28)] : [stepEvent(20, 24)] };
      await new Promise<void>((resolve) => world.after(1000, resolve));
    },
  };
  const nodes = new ScriptedNodes(world, [script]);
  const client = await connectIn(world, { addresses: nodes.addresses, transport: nodes });
  const watch = client.document('s', 'k').watch({ pointers: POINTERS, policy: 'latest' });
  await settled(world, watch.next());
  const second = (await settled(world, watch.next())).value;
  assert.deepEqual([second.kind, second.seq], ['composed', 24]);
  const request = { space: 's', key: 'k', pointers: POINTERS, policy: 'WATCH_POLICY_LATEST' };
  assert.deepEqual(requests, [request, { ...request, afterSeq: 20 }]);
  await settled(world, watch.return!());
  await settled(world, client.close());
});

test('pointers that are none are refused before any node is asked', async () => {
  const world = new VirtualWorld(1);
  const nodes = new ScriptedNodes(world, [{}]);
  const client = await connectIn(world, { addresses: nodes.addresses, transport: nodes });
  const watch = client.document('s', 'k').watch({ pointers: ['a'] });
  await assert.rejects(settled(world, watch.next()), { code: 'INVALID_ARGUMENT' });
  await settled(world, client.close());
});
