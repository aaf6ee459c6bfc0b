// Reads and history, as far as the client adds to what nodes answer.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeltabaseError, encodeUtf8 } from '@deltabase/base';
import { encodePiece, fromJson, hashText, pieces } from '@deltabase/delta';
import type { Client } from '../src/index.js';
import { connectIn, type Script, ScriptedNodes, settled } from './support/scripted-nodes.js';
import { VirtualWorld } from './support/virtual-world.js';

async function clientOf(world: VirtualWorld, ...scripts: Script[]) {
  const nodes = new ScriptedNodes(world, scripts);
  const client = await connectIn(world, { addresses: nodes.addresses, transport: nodes });
  return { nodes, client };
}

test('a read says what it wants: pointer, mode, seq', async () => {
  const world = new VirtualWorld(1);
  const requests: object[] = [];
  const { client } = await clientOf(world, {
    call(_name, request) {
      requests.push(request);
      return { seq: 3, hash: '00', value: encodeUtf8('{"a":[1]}') };
    },
  });
  const document = client.document('s', 'k');
  const result = await settled(world, document.get());
  assert.deepEqual(result, { seq: 3, hash: '00', value: { a: [1] } });
  await settled(world, document.get({ pointer: '/a', mode: 'stale' }));
  await settled(world, document.get({ mode: { atLeastSeq: 9 }, atSeq: 2 }));
  await settled(world, document.get({ mode: { withinMs: 50 } }));
  const name = { space: 's', key: 'k' };
  assert.deepEqual(requests, [
    { ...name, pointer: '', mode: 'READ_MODE_LINEARIZABLE' },
    { ...name, pointer: '/a', mode: 'READ_MODE_STALE' },
    { ...name, pointer: '', mode: 'READ_MODE_AT_LEAST_SEQ', atLeastSeq: 9, atSeq: 2 },
    { ...name, pointer: '', mode: 'READ_MODE_STALE', withinMs: 50 },
  ]);
  await settled(world, client.close());
});

test('reads go to the leader, and elsewhere when it cannot answer', async () => {
  const world = new VirtualWorld(1);
  let fails = false;
  const answer = { seq: 1, hash: '00', value: encodeUtf8('1') };
  const { nodes, client } = await clientOf(
    world,
    {
      call() {
        if (fails) throw new DeltabaseError('UNAVAILABLE', 'not now');
        return answer;
      },
    },
    { call: () => answer },
  );
  await settled(world, client.document('s', 'k').get());
  assert.deepEqual(nodes.calls, ['Get 1']);
  fails = true;
  await settled(world, client.document('s', 'k').get());
  assert.equal(nodes.calls.at(-1), 'Get 2');
  await settled(world, client.close());
});

test('what a node says for good is not asked again', async () => {
  const world = new VirtualWorld(1);
  const { nodes, client } = await clientOf(world, {
    call() {
      throw new DeltabaseError('POINTER_NOT_FOUND', 'nothing there', { details: { a: 1 } });
    },
  });
  const read = settled(world, client.document('s', 'k').get({ pointer: '/x' }));
  await assert.rejects(read, { code: 'POINTER_NOT_FOUND', details: { a: 1 } });
  assert.deepEqual(nodes.calls, ['Get 1']);
  await settled(world, client.close());
});

/** A node whose document is larger than it gives at once. */
function large(): Script {
  const root = fromJson({ a: { b: 'x'.repeat(500) }, c: [1, 2, 3] });
  return {
    call() {
      throw new DeltabaseError('OUTPUT_TOO_LARGE', 'too large');
    },
    async *stream() {
      const parts = [...pieces(root, 50)].map(encodePiece);
      for (const [at, piece] of parts.entries()) {
        const last = at === parts.length - 1;
        yield { events: [{ state: { seq: 8, piece, last, hash: last ? hashText(root) : '' } }] };
      }
      throw new Error('nobody reads on behind the state');
    },
  };
}

test('what is too large for a read comes in pieces, without the caller noticing', async () => {
  const world = new VirtualWorld(1);
  const { client } = await clientOf(world, large());
  const whole = await settled(world, client.document('s', 'k').get());
  assert.equal(whole.seq, 8);
  assert.deepEqual(whole.value, { a: { b: 'x'.repeat(500) }, c: [1, 2, 3] });
  const part = await settled(world, client.document('s', 'k').get({ pointer: '/c/1' }));
  assert.equal(part.value, 2);
  const missing = settled(world, client.document('s', 'k').get({ pointer: '/nothing' }));
  await assert.rejects(missing, { code: 'POINTER_NOT_FOUND' });
  await settled(world, client.close());
});

test('a past state that is too large is refused, for no watch tells of it', async () => {
  const world = new VirtualWorld(1);
  const { client } = await clientOf(world, large());
  const past = settled(world, client.document('s', 'k').get({ atSeq: 3 }));
  await assert.rejects(past, { code: 'OUTPUT_TOO_LARGE' });
  await settled(world, client.close());
});

test('history goes on behind what it has given when a node fails in the middle', async () => {
  const world = new VirtualWorld(1);
  const requests: { fromSeq: number; limit: number }[] = [];
  const script: Script = {
    async *stream(_name, request) {
      const { fromSeq, limit } = request as { fromSeq: number; limit: number };
      requests.push({ fromSeq, limit });
      const end = Math.min(fromSeq + 3, limit === 0 ? 11 : fromSeq + limit, 11);
      for (let seq = fromSeq; seq < end; seq++) yield { deltas: [delta(seq)] };
      if (end === fromSeq + 3) throw new DeltabaseError('UNAVAILABLE', 'broke');
    },
  };
  const { client } = await clientOf(world, script);
  assert.deepEqual(await seqs(world, client, {}), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  assert.deepEqual(await seqs(world, client, { from: 4, limit: 5 }), [4, 5, 6, 7, 8]);
  assert.deepEqual(requests.slice(-2), [
    { fromSeq: 4, limit: 5 },
    { fromSeq: 7, limit: 2 },
  ]);
  await settled(world, client.close());
});

async function seqs(world: VirtualWorld, client: Client, options: object): Promise<number[]> {
  const found: number[] = [];
  const reading = (async () => {
    for await (const { seq } of client.document('s', 'k').history(options)) found.push(seq);
  })();
  await settled(world, reading);
  return found;
}

function delta(seq: number): object {
  const cause = {
    channel: 'c',
    payload: encodeUtf8(''),
    principal: '',
    messageId: '',
    version: 1,
    fuel: 1,
    seed: 1,
  };
  return { seq, patch: encodeUtf8('[]'), hash: '00', timeMs: 1, cause };
}
