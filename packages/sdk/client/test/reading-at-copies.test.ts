// Reads and watches of hot documents go to the copies that nodes name, and come back when those fail.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeltabaseError, encodeUtf8 } from '@deltabase/base';
import { encodePiece, fromJson, hashText, pieces } from '@deltabase/delta';
import type { AnyWatchEvent, GetOptions } from '../src/index.js';
import { CLIENT_LIMITS, type ClientLimits } from '../src/limits.js';
import { throwIfAborted } from '../src/reading/attempts.js';
import type { StreamOptions } from '../src/transport/transport.js';
import {
  addressOf,
  connectIn,
  type Script,
  ScriptedNodes,
  settled,
} from './support/scripted-nodes.js';
import { VirtualWorld } from './support/virtual-world.js';

const COPIES = [3, 4].map(addressOf);

interface Bench {
  readonly world: VirtualWorld;
  readonly nodes: ScriptedNodes;
  /** What nodes name as copies. */
  copies: readonly string[];
  get(options?: GetOptions): Promise<{ seq: number }>;
  /** Who answered since this was asked last: how many reads each. */
  answered(): Record<string, number>;
  close(): Promise<void>;
}

/** Two nodes, of which the first leads, and two replicas; `copy` is how these answer. */
async function setUp(copy: Script['call'], limits: Partial<ClientLimits> = {}): Promise<Bench> {
  const world = new VirtualWorld(1);
  const answer = (copies: readonly string[]) => ({
    ...{ seq: 7, hash: '00', value: encodeUtf8('1'), copies },
  });
  const node: Script = { call: () => answer(bench.copies) };
  const nodes = new ScriptedNodes(world, [node, node, { call: copy! }, { call: copy! }], 2);
  const client = await connectIn(world, { addresses: nodes.addresses, transport: nodes, limits });
  const bench: Bench = {
    ...{ world, nodes, copies: [] },
    get: (options) => settled(world, client.document('s', 'k').get(options)),
    answered() {
      const counts: Record<string, number> = {};
      for (const call of nodes.calls.splice(0)) counts[call] = (counts[call] ?? 0) + 1;
      return counts;
    },
    close: () => settled(world, client.close()),
  };
  return bench;
}

const WELL: Script['call'] = () => ({ seq: 8, hash: '00', value: encodeUtf8('2'), copies: [] });

test('reads of every mode but the past go to the copies that the leader names, spread over them', async () => {
  const bench = await setUp(WELL);
  bench.copies = COPIES;
  assert.equal((await bench.get()).seq, 7);
  for (let count = 0; count < 40; count++) {
    const mode = (['linearizable', 'stale', { atLeastSeq: 8 }, { withinMs: 5 }] as const)[
      count % 4
    ]!;
    assert.equal((await bench.get({ mode })).seq, 8);
  }
  const { 'Get 1': first, 'Get 3': one = 0, 'Get 4': other = 0, ...rest } = bench.answered();
  assert.deepEqual([first, one + other, rest], [1, 40, {}]);
  assert.ok(one > 10 && other > 10, `${one} and ${other}`);
  bench.copies = [];
  assert.equal((await bench.get({ atSeq: 3 })).seq, 7);
  assert.deepEqual(bench.answered(), { 'Get 1': 1 });
  // A read of the past, which names no copies, says nothing of them.
  assert.equal((await bench.get()).seq, 8);
  await bench.close();
  assert.deepEqual(bench.nodes.links, []);
});

test('the leader is asked now and then whether there are copies still, and readers come back when there are none', async () => {
  const bench = await setUp(WELL);
  bench.copies = COPIES;
  await bench.get();
  for (let second = 0; second < 20; second++) {
    await bench.world.run(1000);
    for (let count = 0; count < 10; count++) await bench.get();
  }
  const { 'Get 1': asked = 0 } = bench.answered();
  assert.ok(asked >= 4 && asked <= 5, `${asked} of 201 reads`);
  bench.copies = [];
  await bench.world.run(5000);
  for (let count = 0; count < 10; count++) await bench.get();
  assert.deepEqual(bench.answered(), { 'Get 1': 10 });
  await bench.close();
});

test('a copy that fails is left alone for a while; its read and others are answered elsewhere', async () => {
  const bench = await setUp(WELL);
  bench.copies = [addressOf(3)];
  await bench.get();
  bench.nodes.down.add(3);
  for (let count = 0; count < 5; count++) assert.equal((await bench.get()).seq, 7);
  assert.deepEqual(bench.answered(), { 'Get 1': 6 });
  bench.nodes.down.delete(3);
  await bench.get();
  assert.deepEqual(bench.answered(), { 'Get 1': 1 });
  await bench.world.run(CLIENT_LIMITS.copyRestMs);
  // The first asks whether there are copies still.
  for (let count = 0; count < 3; count++) await bench.get();
  assert.deepEqual(bench.answered(), { 'Get 1': 1, 'Get 3': 2 });
  await bench.close();
});

test('a copy that does not answer costs a read two seconds, or half of its time, and no more', async () => {
  const bench = await setUp(
    async (_name, _request, { timeoutMs }) => {
      await new Promise<void>((resolve) => bench.world.after(timeoutMs, resolve));
      throw new DeltabaseError('DEADLINE_EXCEEDED', 'too late');
    },
    { copyRestMs: 1 },
  );
  bench.copies = [addressOf(3)];
  await bench.get();
  for (const [deadlineMs, passedMs] of [
    [30_000, 2000],
    [1000, 500],
  ] as const) {
    const begunMs = bench.world.nowMs();
    assert.equal((await bench.get({ deadlineMs })).seq, 7);
    const tookMs = bench.world.nowMs() - begunMs;
    assert.ok(tookMs >= passedMs && tookMs < passedMs + 100, `${tookMs} ms`);
  }
  await bench.close();
});

test('a seq that has not come to a copy in time is no fault of it', async () => {
  const bench = await setUp(() => {
    throw new DeltabaseError('DEADLINE_EXCEEDED', 'the seq has not come');
  });
  bench.copies = [addressOf(3)];
  await bench.get();
  for (let count = 0; count < 3; count++) await bench.get({ mode: { atLeastSeq: 9 } });
  assert.deepEqual(bench.answered(), { 'Get 1': 4, 'Get 3': 3 });
  await bench.get();
  await bench.get();
  assert.deepEqual(bench.answered(), { 'Get 1': 2, 'Get 3': 1 });
  await bench.close();
});

test('what a copy says of the document is the answer; what it says of itself is not', async () => {
  let code: 'POINTER_NOT_FOUND' | 'OVERLOADED' | 'INTERNAL' = 'POINTER_NOT_FOUND';
  const bench = await setUp(
    () => {
      throw new DeltabaseError(code, 'no');
    },
    { copyRestMs: 1 },
  );
  bench.copies = [addressOf(3)];
  await bench.get();
  await assert.rejects(bench.get(), { code: 'POINTER_NOT_FOUND' });
  for (code of ['OVERLOADED', 'INTERNAL'] as const) {
    await bench.world.run(10);
    assert.equal((await bench.get()).seq, 7);
  }
  assert.deepEqual(bench.answered(), { 'Get 1': 3, 'Get 3': 3 });
  await bench.close();
});

test('a copy that is hot itself sends its readers on to its own copies', async () => {
  const bench = await setUp((_name, _request) => ({
    ...{ seq: 8, hash: '00', value: encodeUtf8('2'), copies: [addressOf(4)] },
  }));
  bench.copies = [addressOf(3)];
  for (let count = 0; count < 5; count++) await bench.get();
  assert.deepEqual(bench.answered(), { 'Get 1': 1, 'Get 3': 1, 'Get 4': 3 });
  await bench.close();
});

interface CountingNode extends Script {
  /** Watches that it has. */
  open: number;
  /** They end with an error. */
  isBroken: boolean;
}

/** A document that counts: watches give one delta every 100 ms. */
function countingNode(
  world: VirtualWorld,
  requests: Array<{ afterSeq?: number }>,
  copiesOf: () => readonly string[],
): CountingNode {
  const hashOf = (seq: number): string => hashText(fromJson({ n: seq }));
  const script = {
    open: 0,
    isBroken: false,
    async *stream(_name: string, request: { afterSeq?: number }, { signal }: StreamOptions) {
      requests.push(request);
      script.open++;
      try {
        let seq = request.afterSeq ?? Math.floor(world.nowMs() / 100);
        if (request.afterSeq === undefined) {
          const piece = encodePiece(['', fromJson({ n: seq })]);
          yield { events: [{ state: { seq, piece, last: true, hash: hashOf(seq) } }] };
        }
        for (;;) {
          await new Promise<void>((resolve) => world.after(10, resolve));
          throwIfAborted(signal);
          if (script.isBroken) throw new DeltabaseError('UNAVAILABLE', 'it broke');
          while (seq < Math.floor(world.nowMs() / 100)) {
            seq++;
            const patch = encodeUtf8(`[{"op":"replace","path":"/n","value":${seq}}]`);
            const cause = {
              ...{ channel: '', payload: encodeUtf8(''), principal: '', messageId: '' },
              ...{ version: 1, fuel: 1, seed: 1 },
            };
            const delta = { seq, patch, hash: hashOf(seq), timeMs: 1, cause };
            yield { events: [{ delta }], copies: copiesOf() };
          }
        }
      } finally {
        script.open--;
      }
    },
  };
  return script as CountingNode;
}

async function setUpWatch() {
  const world = new VirtualWorld(1);
  const requests: Array<Array<{ afterSeq?: number }>> = [[], [], []];
  let copies: readonly string[] = [];
  const scripts = requests.map((seen, at) =>
    countingNode(world, seen, () => (at === 0 ? copies : [])),
  );
  const nodes = new ScriptedNodes(world, scripts, 1);
  const client = await connectIn(world, { addresses: nodes.addresses, transport: nodes });
  const watch = client.document('s', 'k').watch();
  const events: AnyWatchEvent[] = [];
  /** Takes events until the watch has come to `seq`: none is missing, and none comes twice. */
  const follow = async (seq: number): Promise<void> => {
    while ((events.at(-1)?.seq ?? 0) < seq) {
      const { value } = await settled(world, watch.next());
      const last = events.at(-1);
      if (last !== undefined) assert.deepEqual([value.kind, value.seq], ['delta', last.seq + 1]);
      events.push(value);
    }
  };
  return {
    ...{ world, nodes, client, watch, requests, scripts, events, follow },
    tell: (addresses: readonly string[]): void => {
      copies = addresses;
    },
  };
}

test('a running watch moves to a copy behind its seq, once that is there, and leaves the node', async () => {
  const { world, nodes, client, watch, requests, scripts, events, follow, tell } =
    await setUpWatch();
  await follow(10);
  assert.deepEqual(nodes.calls, ['Watch 1']);
  tell([addressOf(2)]);
  await follow(30);
  assert.deepEqual(nodes.calls, ['Watch 1', 'GetReplicaStatus 2', 'Watch 2']);
  assert.deepEqual([scripts[0]!.open, scripts[1]!.open], [0, 1]);
  const [{ afterSeq }] = requests[1] as [{ afterSeq: number }];
  assert.ok(afterSeq >= 10 && afterSeq <= 22, `it moved at ${afterSeq}`);
  await settled(world, watch.return!());
  assert.equal(scripts[1]!.open, 0);
  await world.run(CLIENT_LIMITS.copyIdleMs + 100);
  assert.deepEqual(nodes.links, [1]);
  assert.equal(events.length, 1 + 30 - events[0]!.seq);
  await settled(world, client.close());
});

test('a copy that is not there disturbs no watch, and another one is tried later', async () => {
  const { world, nodes, client, watch, scripts, follow, tell } = await setUpWatch();
  nodes.down.add(2);
  tell([addressOf(2)]);
  await follow(40);
  assert.deepEqual([nodes.calls, scripts[0]!.open], [['Watch 1'], 1]);
  nodes.down.delete(2);
  await follow(120);
  assert.deepEqual(nodes.calls, ['Watch 1', 'GetReplicaStatus 2', 'Watch 2']);
  await settled(world, watch.return!());
  await settled(world, client.close());
});

test('new watches begin at copies, and one whose copy breaks goes on elsewhere at once', async () => {
  const { world, nodes, client, watch, scripts, follow, tell } = await setUpWatch();
  tell([addressOf(2), addressOf(3)]);
  await follow(30);
  const at = nodes.calls.at(-1) === 'Watch 2' ? 2 : 3;
  const begun = nodes.calls.length;
  const second = client.document('s', 'k').watch();
  await settled(world, second.next());
  assert.match(nodes.calls[begun]!, /^Watch [23]$/);
  await settled(world, second.return!());
  nodes.calls.length = 0;
  scripts[at - 1]!.isBroken = true;
  await follow(35);
  // The node, or the other copy; within a few deltas.
  assert.match(nodes.calls[0]!, at === 2 ? /^Watch [13]$/ : /^Watch [12]$/);
  assert.ok(world.nowMs() < 3700, `${world.nowMs()}`);
  await settled(world, watch.return!());
  await settled(world, client.close());
});

test('many watches that are told of copies do not go there all at once', async () => {
  const { world, nodes, client, watch, tell } = await setUpWatch();
  const left = new AbortController();
  const watches = Array.from({ length: 40 }, async () => {
    const { signal } = left;
    for await (const event of client.document('s', 'k').watch({ signal }))
      assert.ok(event.seq >= 0);
  });
  await world.run(1000);
  tell([addressOf(2)]);
  const moved = (): number => nodes.calls.filter((call) => call === 'Watch 2').length;
  await world.run(600);
  const early = moved();
  assert.ok(early >= 5 && early <= 35, `${early} of 40 after about half a second`);
  await world.run(1000);
  assert.equal(moved(), 40);
  left.abort();
  await settled(world, Promise.allSettled(watches));
  await settled(world, watch.return!());
  await settled(world, client.close());
});

test('a copy that has not the history to go on with sends nobody back to the beginning', async () => {
  const { world, nodes, client, watch, scripts, follow, tell } = await setUpWatch();
  tell([addressOf(2)]);
  // biome-ignore lint/correctness/useYield: it fails before there is anything to yield.
  scripts[1]!.stream = async function* () {
    throw new DeltabaseError('HISTORY_GONE', 'not here');
  };
  await follow(30);
  assert.deepEqual(nodes.calls, ['Watch 1', 'GetReplicaStatus 2', 'Watch 2', 'Watch 1']);
  await settled(world, watch.return!());
  await settled(world, client.close());
});

test('a watch that is being given a state takes all of it before it moves', async () => {
  const world = new VirtualWorld(1);
  const root = fromJson({ list: Array.from({ length: 50 }, (_, at) => `item ${at}`) });
  const parts = [...pieces(root, 40)].map(encodePiece);
  let given = 0;
  const node: Script = {
    async *stream(_name, _request, { signal }) {
      for (const [at, piece] of parts.entries()) {
        await new Promise<void>((resolve) => world.after(100, resolve));
        const last = at === parts.length - 1;
        given++;
        const state = { seq: 1, piece, last, hash: last ? hashText(root) : '' };
        yield { events: [{ state }], copies: at === 0 ? [addressOf(2)] : [] };
      }
      for (;;) {
        await new Promise<void>((resolve) => world.after(100, resolve));
        throwIfAborted(signal);
        yield { events: [] };
      }
    },
  };
  const requests: object[] = [];
  const copy: Script = {
    async *stream(_name, request, { signal }) {
      requests.push(request);
      for (;;) {
        await new Promise<void>((resolve) => world.after(100, resolve));
        throwIfAborted(signal);
        yield { events: [] };
      }
    },
  };
  const nodes = new ScriptedNodes(world, [node, copy], 1);
  const client = await connectIn(world, { addresses: nodes.addresses, transport: nodes });
  const watch = client.document('s', 'k').watch();
  const { value } = await settled(world, watch.next());
  assert.ok(parts.length > 20, `${parts.length} parts take longer than a watch waits to move`);
  assert.deepEqual([value.kind, value.seq, given, requests], ['state', 1, parts.length, []]);
  const next = watch.next();
  await world.run(1000);
  assert.deepEqual(requests, [{ space: 's', key: 'k', afterSeq: 1 }]);
  await settled(world, Promise.allSettled([watch.return!(), next]));
  await settled(world, client.close());
});
