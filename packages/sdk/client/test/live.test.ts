// Live copies: at every moment exactly the document at some seq (StateIsFold), whatever happens to streams.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeltabaseError, encodeUtf8 } from '@deltabase/base';
import { encodePiece, fromJson, hashText, type Json, pieces } from '@deltabase/delta';
import fc from 'fast-check';
import type { LiveChange, LiveDocument, WatchPolicy } from '../src/index.js';
import { connectIn, type Script, ScriptedNodes, settled } from './support/scripted-nodes.js';
import { Truth, unreliable } from './support/unreliable-document.js';
import { VirtualWorld } from './support/virtual-world.js';

const policies = fc.constantFrom<WatchPolicy>('every', 'latest');

test('a live copy is the document at each seq it comes to, wherever its streams break', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(0x7fffffff), policies, async (seed, policy) => {
      const world = new VirtualWorld(seed);
      const truth = new Truth();
      truth.seq = 1 + world.below(4);
      const script = unreliable(world, truth);
      const nodes = new ScriptedNodes(world, [script, script]);
      const client = await connectIn(world, { addresses: nodes.addresses, transport: nodes });
      const live = await settled(world, client.live('s', 'k', { policy }));
      const changes: LiveChange[] = [];
      live.onChange('/n', (change) => {
        const { n } = truth.value(change.seq) as { n: number };
        assert.deepEqual([live.seq, live.get('/n'), change.value], [change.seq, n, n]);
        assert.deepEqual(live.value, truth.value(live.seq));
        assert.equal(live.hash, hashText(fromJson(truth.value(live.seq))));
        changes.push(change);
      });
      const grow = (): void => {
        if (truth.seq >= 40) return;
        truth.seq++;
        if (world.below(8) === 0) truth.floor = Math.max(0, truth.seq - 2);
        world.after(world.below(12), grow);
      };
      const there = new Promise<void>((resolve) => {
        live.onChange('', ({ seq }) => void (seq === 40 && resolve()));
      });
      grow();
      await settled(world, there);
      await live.reach(40);
      for (const [at, change] of changes.entries()) {
        if (at > 0) assert.equal(change.before, changes[at - 1]!.value, 'changes join');
      }
      assert.equal(live.mismatches, 0);
      live.close();
      await settled(world, client.close());
    }),
    { numRuns: 60, includeErrorInReport: true },
  );
});

/** Serves one state, and what the test gives later. */
class Stage {
  readonly world = new VirtualWorld(1);
  readonly requests: Array<{ readonly afterSeq?: number }> = [];
  #value: Json;
  #seq = 1;
  #events: object[] = [];
  #wake = (): void => {};
  #break: DeltabaseError | undefined;

  constructor(value: Json) {
    this.#value = value;
  }

  async open<State = Json>(): Promise<LiveDocument<State>> {
    const stage = this;
    const script: Script = {
      async *stream(_name, request, { signal }) {
        stage.requests.push(request);
        stage.#events = [];
        signal?.addEventListener('abort', () => stage.#wake());
        if (!('afterSeq' in request)) yield { events: stateEvents(stage.#seq, stage.#value) };
        while (!signal?.aborted) {
          const events = stage.#events.splice(0);
          if (events.length > 0) yield { events };
          if (stage.#break !== undefined) {
            const why = stage.#break;
            stage.#break = undefined;
            throw why;
          }
          await new Promise<void>((resolve) => {
            stage.#wake = resolve;
          });
        }
      },
    };
    const nodes = new ScriptedNodes(this.world, [script]);
    const client = await connectIn(this.world, { addresses: nodes.addresses, transport: nodes });
    return settled(this.world, client.live<State>('s', 'k'));
  }

  /** The document becomes `value` by a patch. */
  async become(value: Json, patch: object[], hash = hashText(fromJson(value))): Promise<void> {
    this.#value = value;
    this.#seq++;
    this.#events.push(deltaEvent(this.#seq, patch, hash));
    await this.#pass();
  }

  /** The document changes, and nobody is told. */
  becomeSilently(value: Json): void {
    this.#value = value;
    this.#seq++;
  }

  async breakWith(why: DeltabaseError): Promise<void> {
    this.#break = why;
    await this.#pass();
  }

  async #pass(): Promise<void> {
    this.#wake();
    let isOver = false;
    this.world.after(5000, () => {
      isOver = true;
    });
    await settled(
      this.world,
      (async () => {
        while (!isOver) await new Promise<void>((resolve) => this.world.after(100, resolve));
      })(),
    );
  }
}

function stateEvents(seq: number, value: Json): object[] {
  const root = fromJson(value);
  const parts = [...pieces(root, 40)].map(encodePiece);
  return parts.map((piece, at) => {
    const last = at === parts.length - 1;
    return { state: { seq, piece, last, hash: last ? hashText(root) : '' } };
  });
}

function deltaEvent(seq: number, patch: object[], hash: string): object {
  const cause = {
    ...{ channel: 'x', payload: encodeUtf8('1'), principal: '', messageId: '' },
    ...{ version: 1, fuel: 1, seed: 1 },
  };
  return { delta: { seq, patch: encodeUtf8(JSON.stringify(patch)), hash, timeMs: 1, cause } };
}

test('listeners hear of what is at their pointer, or in it, and of nothing else', async () => {
  const stage = new Stage({ a: { b: 1, c: [1, 2] }, d: 'x' });
  const live = await stage.open();
  const heard: string[] = [];
  const note = (pointer: string) =>
    live.onChange(pointer, ({ seq, value, before }) => {
      heard.push(`${seq} ${pointer} ${JSON.stringify(before)} ${JSON.stringify(value)}`);
    });
  for (const pointer of ['/a/b', '/a/c/0', '/d', '/e']) note(pointer);
  const stop = note('/a');
  await stage.become({ a: { b: 2, c: [1, 2] }, d: 'x' }, [
    { op: 'replace', path: '/a/b', value: 2 },
  ]);
  assert.deepEqual(heard.splice(0), ['2 /a/b 1 2', '2 /a {"b":1,"c":[1,2]} {"b":2,"c":[1,2]}']);
  stop();
  await stage.become({ a: { b: 2, c: [0, 1, 2] }, e: null }, [
    { op: 'add', path: '/a/c/0', value: 0 },
    { op: 'remove', path: '/d' },
    { op: 'add', path: '/e', value: null },
  ]);
  assert.deepEqual(heard, ['3 /a/c/0 1 0', '3 /d "x" undefined', '3 /e undefined null']);
  live.close();
});

test('what has not changed is the same object, and nobody can change it', async () => {
  const stage = new Stage({ a: { b: 1 }, c: [{ d: 1 }, { d: 2 }], __proto: 1 });
  const live = await stage.open<{ a: object; c: object[] }>();
  const before = live.value;
  assert.equal(live.value, before);
  assert.equal(live.get('/c'), before.c);
  assert.throws(() => before.c.push({}), TypeError);
  await stage.become({ a: { b: 1 }, c: [{ d: 1 }, { d: 3 }], __proto: 1 }, [
    { op: 'replace', path: '/c/1/d', value: 3 },
  ]);
  const after = live.value;
  assert.notEqual(after, before);
  assert.equal(after.a, before.a);
  assert.equal(after.c[0], before.c[0]);
  assert.deepEqual(after.c[1], { d: 3 });
  live.close();
});

test('a member named __proto__ is a member', async () => {
  const stage = new Stage(JSON.parse('{"__proto__":{"x":1},"y":2}'));
  const live = await stage.open();
  assert.equal(JSON.stringify(live.value), '{"__proto__":{"x":1},"y":2}');
  assert.equal(live.get('/__proto__/x'), 1);
  assert.equal(({} as Record<string, unknown>)['x'], undefined);
  live.close();
});

test('pointers that lead nowhere hold nothing, and what is no pointer is refused', async () => {
  const live = await new Stage({ a: [1] }).open();
  assert.deepEqual(
    [live.get('/b'), live.get('/a/1'), live.get('/a/0/x')],
    [undefined, undefined, undefined],
  );
  assert.deepEqual(live.get(''), { a: [1] });
  for (const wrong of ['a', '/~2']) {
    assert.throws(() => live.get(wrong), { code: 'INVALID_ARGUMENT' });
    assert.throws(() => live.onChange(wrong, () => {}), { code: 'INVALID_ARGUMENT' });
  }
  live.close();
});

test('a copy that is not what the node has begins anew, and says so', async () => {
  const stage = new Stage({ n: 1 });
  const live = await stage.open();
  const changes: unknown[] = [];
  live.onChange('/n', ({ value }) => changes.push(value));
  await stage.become({ n: 2 }, [{ op: 'replace', path: '/n', value: 3 }]);
  assert.deepEqual([live.seq, live.get('/n'), live.mismatches], [2, 2, 1]);
  assert.deepEqual(changes, [2], 'what was wrong was never seen');
  assert.deepEqual(
    stage.requests.map(({ afterSeq }) => afterSeq),
    [undefined, undefined],
  );
  await stage.become({ n: 4 }, [{ op: 'replace', path: '/gone', value: 4 }]);
  assert.deepEqual([live.seq, live.get('/n'), live.mismatches], [3, 4, 2]);
  live.close();
});

test('after a break it goes on behind its seq; where that is gone, with a state', async () => {
  const stage = new Stage({ n: 1 });
  const live = await stage.open();
  await stage.breakWith(new DeltabaseError('UNAVAILABLE', 'broke'));
  await stage.become({ n: 2 }, [{ op: 'replace', path: '/n', value: 2 }]);
  assert.equal(live.get('/n'), 2);
  stage.becomeSilently({ n: 7 });
  await stage.breakWith(new DeltabaseError('HISTORY_GONE', 'gone'));
  assert.deepEqual([live.seq, live.get('/n')], [3, 7]);
  assert.deepEqual(
    stage.requests.map(({ afterSeq }) => afterSeq),
    [undefined, 1, undefined],
  );
  live.close();
});

test('what cannot be mended ends it: it stays what it was, and waiters are told', async () => {
  const stage = new Stage({ n: 1 });
  const live = await stage.open();
  const waiting = assert.rejects(live.reach(5), { code: 'SPACE_NOT_FOUND' });
  await stage.breakWith(new DeltabaseError('SPACE_NOT_FOUND', 'no more'));
  await waiting;
  assert.equal(live.ended?.code, 'SPACE_NOT_FOUND');
  assert.equal(live.get('/n'), 1);
  await assert.rejects(live.reach(5), { code: 'SPACE_NOT_FOUND' });
  await live.reach(1);
});

test('waiting for a seq has a deadline and a signal, and ends when it is closed', async () => {
  const stage = new Stage({ n: 1 });
  const live = await stage.open();
  await assert.rejects(settled(stage.world, live.reach(9, { deadlineMs: 50 })), {
    code: 'DEADLINE_EXCEEDED',
  });
  const aborter = new AbortController();
  const aborted = assert.rejects(live.reach(9, { signal: aborter.signal }), { code: 'CANCELLED' });
  aborter.abort();
  await aborted;
  const closed = assert.rejects(live.reach(9), { code: 'CANCELLED' });
  live.close();
  await closed;
  assert.equal(live.ended?.code, 'CANCELLED');
});

test('a document that cannot be watched is not opened', async () => {
  const world = new VirtualWorld(1);
  const script: Script = {
    // biome-ignore lint/correctness/useYield: it fails before.
    async *stream() {
      throw new DeltabaseError('SPACE_NOT_FOUND', 'no machine');
    },
  };
  const nodes = new ScriptedNodes(world, [script]);
  const client = await connectIn(world, { addresses: nodes.addresses, transport: nodes });
  await assert.rejects(settled(world, client.live('s', 'k')), { code: 'SPACE_NOT_FOUND' });
  const signal = AbortSignal.abort();
  await assert.rejects(settled(world, client.live('s', 'k', { signal })), { code: 'CANCELLED' });
});
