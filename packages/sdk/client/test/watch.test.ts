// Watches that last: whatever happens to the streams, the events fold to the document (StateIsFold), without gap or
// repeat (CommittedOnly).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeltabaseError } from '@deltabase/base';
import { encodePiece, fromJson, hashText } from '@deltabase/delta';
import fc from 'fast-check';
import type { AnyWatchEvent, Client, WatchPolicy } from '../src/index.js';
import { OnlyApart } from '../src/transport/transport.js';
import {
  addressOf,
  connectIn,
  type Script,
  ScriptedNodes,
  settled,
} from './support/scripted-nodes.js';
import { Truth, unreliable } from './support/unreliable-document.js';
import { VirtualWorld } from './support/virtual-world.js';

const policies = fc.constantFrom<WatchPolicy>('every', 'latest');

test('a watch of any policy has no gap and no repeat, wherever its streams break', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(0x7fffffff),
      fc.boolean(),
      policies,
      async (seed, isResumed, policy) => {
        const world = new VirtualWorld(seed);
        const truth = new Truth();
        truth.seq = world.below(4);
        const script = unreliable(world, truth);
        const nodes = new ScriptedNodes(world, [script, script]);
        const client = await connectIn(world, { addresses: nodes.addresses, transport: nodes });
        await watchUntil(40, { world, truth, client, isResumed, policy });
        await settled(world, client.close());
      },
    ),
    { numRuns: 100, includeErrorInReport: true },
  );
});

test('a watch that moves to copies, and back when they break, has no gap and no repeat', async () => {
  let moves = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.nat(0x7fffffff),
      fc.boolean(),
      policies,
      async (seed, isResumed, policy) => {
        const world = new VirtualWorld(seed);
        const truth = new Truth();
        truth.seq = world.below(4);
        const copies = [3, 4, 5].map(addressOf);
        const node = unreliable(world, truth, copies);
        const copy = unreliable(world, truth);
        // One that feeds others, and says so.
        const inner = unreliable(world, truth, copies.slice(1));
        const nodes = new ScriptedNodes(world, [node, node, inner, copy, copy], 2);
        const limits = { copyMoveMs: 20, copyRestMs: 100, copyHintMs: 200 };
        const { addresses } = nodes;
        const client = await connectIn(world, { addresses, transport: nodes, limits });
        const grown = (): void => {
          if (world.below(10) === 0) nodes.down.add(4);
          if (world.below(10) === 0) nodes.down.delete(4);
        };
        await watchUntil(60, { world, truth, client, isResumed, policy, grown });
        moves += nodes.calls.filter((call) => /^Watch [345]$/.test(call)).length;
        await settled(world, client.close());
        assert.deepEqual(nodes.links, []);
      },
    ),
    { numRuns: 100, includeErrorInReport: true },
  );
  assert.ok(moves > 200, `${moves} moves`);
});

interface Watching {
  readonly world: VirtualWorld;
  readonly truth: Truth;
  readonly client: Client;
  readonly isResumed: boolean;
  readonly policy: WatchPolicy;
  /** Called whenever the document has grown. */
  readonly grown?: () => void;
}

/** Watches the document while it grows to `lastSeq` and loses some of its history now and then, and checks every event. */
async function watchUntil(
  lastSeq: number,
  { world, truth, client, isResumed, policy, grown = () => {} }: Watching,
): Promise<void> {
  const begunAt = truth.seq;
  const options = isResumed ? { afterSeq: begunAt, policy } : { policy };
  const events: AnyWatchEvent[] = [];
  const watching = (async () => {
    for await (const event of client.document('s', 'k').watch(options)) {
      events.push(event);
      if (event.seq >= lastSeq) break;
    }
  })();
  const grow = (): void => {
    if (truth.seq >= lastSeq) return;
    truth.seq++;
    if (world.below(8) === 0) truth.floor = Math.max(0, truth.seq - 2);
    grown();
    world.after(world.below(12), grow);
  };
  grow();
  await settled(world, watching);
  check(events, truth, isResumed ? begunAt : undefined);
}

function check(events: readonly AnyWatchEvent[], truth: Truth, afterSeq: number | undefined): void {
  let seq = afterSeq;
  for (const event of events) {
    assert.ok(event.kind !== 'progress', 'a whole document has no marks');
    if (event.kind === 'state') {
      assert.ok(seq === undefined || event.seq > seq, 'a further state is ahead of what was seen');
      assert.deepEqual(event.value, truth.value(event.seq));
    } else if (event.kind === 'composed') {
      assert.equal(event.fromSeq, seq, 'no gap and no repeat');
      assert.ok(event.seq > event.fromSeq);
      assert.deepEqual(event.patch, [{ op: 'replace', path: '/n', value: event.seq }]);
    } else {
      assert.equal(event.seq, seq! + 1, 'no gap and no repeat');
      assert.deepEqual(event.patch, [{ op: 'replace', path: '/n', value: event.seq }]);
      assert.deepEqual(event.cause.payload, { by: 1 });
    }
    assert.equal(event.hash, hashText(fromJson(truth.value(event.seq))));
    seq = event.seq;
  }
}

test('a watch that can only go on apart does so at once, on the same node, behind what it had, and stays so', async () => {
  const world = new VirtualWorld(1);
  const truth = new Truth();
  truth.seq = 3;
  const asked: object[] = [];
  const script: Script = {
    async *stream(_name, request, { apart }) {
      const afterSeq = (request as { afterSeq?: number }).afterSeq;
      asked.push({ apart, afterSeq, atMs: world.nowMs() });
      if (asked.length === 1) {
        yield { events: truth.stateEvents() };
        throw new OnlyApart('it is read too slowly');
      }
      yield { events: [truth.deltaEvent(afterSeq! + 1)] };
    },
  };
  const nodes = new ScriptedNodes(world, [script, {}]);
  const client = await connectIn(world, { addresses: nodes.addresses, transport: nodes });
  nodes.calls.length = 0;
  const seqs: number[] = [];
  const beginMs = world.nowMs();
  await settled(
    world,
    (async () => {
      for await (const { seq } of client.document('s', 'k').watch()) {
        seqs.push(seq);
        truth.seq = seq + 1;
        if (seq === 4) break;
      }
    })(),
  );
  assert.deepEqual(seqs, [3, 4]);
  assert.deepEqual(asked, [
    { apart: false, afterSeq: undefined, atMs: beginMs },
    { apart: true, afterSeq: 3, atMs: beginMs },
  ]);
  assert.deepEqual(nodes.calls, ['Watch 1', 'Watch 1']);
  await settled(world, client.close());
});

test('a watch that is refused and told of copies that are not there gives up in its time', async () => {
  const world = new VirtualWorld(1);
  let asked = 0;
  const full: Script = {
    async *stream() {
      asked++;
      await new Promise<void>((resolve) => world.after(1, resolve));
      yield { events: [], copies: [addressOf(2)] };
      throw new DeltabaseError('OVERLOADED', 'too many watches');
    },
  };
  const gone: Script = {
    async *stream() {
      await new Promise<void>((resolve) => world.after(1, resolve));
      throw new DeltabaseError('UNAVAILABLE', 'nobody is there');
    },
  };
  const nodes = new ScriptedNodes(world, [full, gone], 1);
  const client = await connectIn(world, { addresses: nodes.addresses, transport: nodes });
  const beginMs = world.nowMs();
  const watching = (async () => {
    const events = client.document('s', 'k').watch({ deadlineMs: 2000 });
    for await (const event of events) assert.fail(event.kind);
  })();
  await settled(world, assert.rejects(watching, { code: 'OVERLOADED' }));
  assert.ok(world.nowMs() - beginMs < 3000, `${world.nowMs() - beginMs} ms`);
  assert.ok(asked < 30, `asked ${asked} times`);
  await settled(world, client.close());
});

test('a watch in which nothing happens for long outlives its nodes all the same', async () => {
  const world = new VirtualWorld(1);
  const truth = new Truth();
  truth.seq = 3;
  let opened = 0;
  const script: Script = {
    async *stream() {
      opened++;
      if (opened === 1) yield { events: truth.stateEvents() };
      // Longer than the watch would wait for a node.
      await new Promise<void>((resolve) => world.after(opened < 5 ? 60_000 : 10, resolve));
      if (opened < 5) throw new DeltabaseError('UNAVAILABLE', 'the node was killed');
      yield { events: [truth.deltaEvent(4)] };
      await new Promise(() => {});
    },
  };
  const nodes = new ScriptedNodes(world, [script, script]);
  const client = await connectIn(world, { addresses: nodes.addresses, transport: nodes });
  const seqs: number[] = [];
  const watching = (async () => {
    for await (const { seq } of client.document('s', 'k').watch()) {
      seqs.push(seq);
      if (seq === 3) truth.seq = 4;
      if (seq === 4) return;
    }
  })();
  await settled(
    world,
    Promise.race([watching, new Promise<void>((resolve) => world.after(400_000, resolve))]),
  );
  assert.deepEqual(seqs, [3, 4]);
  await settled(world, client.close());
});

test('a client that is closed ends its watches at once, whatever they wait for', async () => {
  const world = new VirtualWorld(1);
  const down: Script = {
    async *stream() {
      await new Promise<void>((resolve) => world.after(5, resolve));
      throw new DeltabaseError('UNAVAILABLE', 'down');
    },
  };
  const nodes = new ScriptedNodes(world, [down, down]);
  const client = await connectIn(world, { addresses: nodes.addresses, transport: nodes });
  const watching = (async () => {
    for await (const event of client.document('s', 'k').watch()) assert.fail(event.kind);
  })();
  const ended = assert.rejects(watching, { code: 'CANCELLED' });
  await settled(world, new Promise<void>((resolve) => world.after(500, resolve)));
  const closedMs = world.nowMs();
  await settled(world, client.close());
  await settled(world, ended);
  assert.ok(world.nowMs() - closedMs < 10, `${world.nowMs() - closedMs} ms later`);
});

test('a watch asks for its policy on every node it goes on with, and for the seq it has come to', async () => {
  const world = new VirtualWorld(1);
  const truth = new Truth();
  truth.seq = 3;
  const requests: object[] = [];
  const script: Script = {
    async *stream(_name, request) {
      requests.push(request);
      const seq = 6 * requests.length - 3;
      const isFirst = requests.length === 1;
      yield { events: isFirst ? truth.stateEvents() : [truth.composedEvent(seq - 6, seq)] };
      throw new DeltabaseError('UNAVAILABLE', 'broke');
    },
  };
  const nodes = new ScriptedNodes(world, [script]);
  const client = await connectIn(world, { addresses: nodes.addresses, transport: nodes });
  const watch = client.document('s', 'k').watch({ policy: { perSecond: 2.5 } });
  const seqs: number[] = [];
  for (let count = 0; count < 3; count++) {
    seqs.push((await settled(world, watch.next())).value.seq);
  }
  await settled(world, watch.return!());
  assert.deepEqual(seqs, [3, 9, 15]);
  const rate = { space: 's', key: 'k', policy: 'WATCH_POLICY_PER_SECOND', perSecond: 2.5 };
  assert.deepEqual(requests, [rate, { ...rate, afterSeq: 3 }, { ...rate, afterSeq: 9 }]);
  await settled(world, client.close());
});

test('what is final ends a watch', async () => {
  const world = new VirtualWorld(1);
  const script: Script = {
    // biome-ignore lint/correctness/useYield: it fails before there is anything to yield.
    async *stream() {
      throw new DeltabaseError('SPACE_NOT_FOUND', 'no such space');
    },
  };
  const nodes = new ScriptedNodes(world, [script]);
  const client = await connectIn(world, { addresses: nodes.addresses, transport: nodes });
  const next = client.document('s', 'k').watch().next();
  await assert.rejects(settled(world, next), { code: 'SPACE_NOT_FOUND' });
  await settled(world, client.close());
});

test('a state that does not have its hash is not given', async () => {
  const world = new VirtualWorld(1);
  const script: Script = {
    async *stream() {
      const piece = encodePiece(['', fromJson({ a: 1 })]);
      yield { events: [{ state: { seq: 1, piece, last: true, hash: '0123456789abcdef' } }] };
    },
  };
  const nodes = new ScriptedNodes(world, [script]);
  const client = await connectIn(world, { addresses: nodes.addresses, transport: nodes });
  const next = client.document('s', 'k').watch().next();
  await assert.rejects(settled(world, next), { code: 'DATA_CORRUPT' });
  await settled(world, client.close());
});

test('a watch gives up after its deadline without any node, but not before', async () => {
  const world = new VirtualWorld(1);
  const truth = new Truth();
  truth.seq = 1;
  let serves = true;
  const script: Script = {
    async *stream() {
      if (!serves) throw new DeltabaseError('UNAVAILABLE', 'not now');
      yield { events: truth.stateEvents() };
      throw new DeltabaseError('UNAVAILABLE', 'broke');
    },
  };
  const nodes = new ScriptedNodes(world, [script]);
  const client = await connectIn(world, { addresses: nodes.addresses, transport: nodes });
  const watch = client.document('s', 'k').watch({ deadlineMs: 5000 });
  await settled(world, watch.next());
  serves = false;
  const startMs = world.nowMs();
  await assert.rejects(settled(world, watch.next()), { code: 'UNAVAILABLE', message: 'not now' });
  const passedMs = world.nowMs() - startMs;
  assert.ok(passedMs >= 4900 && passedMs < 6500, `${passedMs} ms`);
  await settled(world, client.close());
});

test('a watch that was quiet for long has its whole deadline when it breaks', async () => {
  const world = new VirtualWorld(1);
  const truth = new Truth();
  truth.seq = 1;
  let calls = 0;
  const script: Script = {
    async *stream() {
      if (++calls === 1) {
        yield { events: truth.stateEvents() };
        await new Promise<void>((resolve) => world.after(20_000, resolve));
        throw new DeltabaseError('UNAVAILABLE', 'broke');
      }
      await new Promise<void>((resolve) => world.after(1000, resolve));
      if (calls < 4) throw new DeltabaseError('UNAVAILABLE', 'not yet');
      truth.seq = 2;
      yield { events: [truth.deltaEvent(2)] };
    },
  };
  const nodes = new ScriptedNodes(world, [script]);
  const client = await connectIn(world, { addresses: nodes.addresses, transport: nodes });
  const watch = client.document('s', 'k').watch({ deadlineMs: 5000 });
  await settled(world, watch.next());
  assert.equal((await settled(world, watch.next())).value.seq, 2);
  await settled(world, client.close());
});

test('leaving a watch that waits ends it and its call at once; so does its signal', async () => {
  const world = new VirtualWorld(1);
  let ended = 0;
  const script: Script = {
    async *stream(_name, _request, { signal }) {
      try {
        yield { events: new Truth().stateEvents() };
        await new Promise((_resolve, reject) =>
          signal!.addEventListener('abort', () =>
            reject(new DeltabaseError('CANCELLED', 'aborted')),
          ),
        );
      } finally {
        ended++;
      }
    },
  };
  const nodes = new ScriptedNodes(world, [script]);
  const client = await connectIn(world, { addresses: nodes.addresses, transport: nodes });
  const left = client.document('s', 'k').watch();
  await settled(world, left.next());
  const pending = left.next();
  await settled(world, left.return!());
  assert.deepEqual(await settled(world, pending), { done: true, value: undefined });
  assert.equal(ended, 1);

  const controller = new AbortController();
  const aborted = client.document('s', 'k').watch({ signal: controller.signal });
  await settled(world, aborted.next());
  const failing = aborted.next();
  controller.abort();
  await assert.rejects(settled(world, failing), { code: 'CANCELLED' });
  assert.equal(ended, 2);
  await settled(world, client.close());
});
