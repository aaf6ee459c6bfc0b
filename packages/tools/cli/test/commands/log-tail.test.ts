// A tail against a client that answers as the test says: what a real cluster does only now and then.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { DeltabaseError } from '@deltabase/base';
import type { Client, LogEntry, LogOptions } from '@deltabase/client';
import { tail } from '../../src/commands/log-tail.js';
import { Context } from '../../src/context.js';
import { entry } from '../support/samples.js';
import { type TestIo, testIo } from '../support/test-io.js';

/** Groups 0 and 1, with 9 entries committed and one more that is not. */
const GROUPS = [0, 1].map((group) => ({
  group,
  term: 1,
  leader: 1,
  firstIndex: 1,
  lastIndex: 10,
  commitIndex: 9,
  flushedIndex: 1,
}));

function clientOf(log: (options: LogOptions) => AsyncIterable<LogEntry>): Client {
  const status = async () => ({ cluster: 'deltabase', node: 1, groups: GROUPS });
  return { cluster: { status, log } } as unknown as Client;
}

/** Gives entries at once, from the index that is wanted, and then waits until it is ended. */
async function* logOf(
  indexes: readonly number[],
  { signal }: LogOptions,
): AsyncGenerator<LogEntry> {
  for (const index of indexes) yield entry({ index, records: [] });
  if (!signal!.aborted) await once(signal!, 'abort');
  throw new Error('left');
}

const GONE = 'deltabase: entries 11 to 14 of group 1 were compacted before they were read\n';

function contextOf(io: TestIo, isJson = true): Context {
  return new Context(io, { json: isJson, color: false });
}

test('a tail begins behind what is committed, in every group', async () => {
  const asked: LogOptions[] = [];
  const client = clientOf((options) => {
    asked.push(options);
    return logOf([10], options);
  });
  const io = testIo();
  await tail(contextOf(io), client, undefined, { color: false, limit: 2 });
  assert.deepEqual(
    asked.map(({ group, from, follow }) => [group, from, follow]),
    [
      [0, 10, true],
      [1, 10, true],
    ],
  );
});

test('a tail gives as many entries as are wanted, also when more come at once', async () => {
  const io = testIo();
  const client = clientOf((options) => logOf([10, 11, 12, 13], options));
  await tail(contextOf(io), client, undefined, { color: false, limit: 3 });
  assert.equal(io.written.out.match(/\n/g)?.length, 3);
});

test('a tail tells of entries that were compacted away before it came to them', async () => {
  const io = testIo();
  const client = clientOf((options) => logOf([10, 15], options));
  await tail(contextOf(io, false), client, 1, { color: false, limit: 2 });
  assert.equal(io.written.err, GONE);
});

test('a tail goes on when the log was compacted under it, and tells of what it missed', async () => {
  const io = testIo();
  const asked: (number | undefined)[] = [];
  const client = clientOf(async function* (options) {
    asked.push(options.from);
    yield* asked.length === 1 ? goneAfter(10) : logOf([15], options);
  });
  await tail(contextOf(io, false), client, 1, { color: false, limit: 2 });
  assert.deepEqual(asked, [10, 11]);
  assert.equal(io.written.err, GONE);
});

async function* goneAfter(index: number): AsyncGenerator<LogEntry> {
  yield entry({ index, records: [] });
  throw new DeltabaseError('HISTORY_GONE', 'left the log');
}

test('a tail that fails says why', async () => {
  const broken = clientOf(
    // biome-ignore lint/correctness/useYield: it breaks at once.
    async function* () {
      throw new Error('broke');
    },
  );
  await assert.rejects(tail(contextOf(testIo()), broken, 1, { color: false }), /broke/);
});
