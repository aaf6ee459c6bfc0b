import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS } from '@deltabase/base';
import { groupOf, type Message, SYSTEM_SPACE } from '@deltabase/machine';
import type { Group } from '../../src/groups/group.js';
import type { Forwarding } from '../../src/placement/forwarding.js';
import { Router } from '../../src/placement/router.js';
import type { AnswerSink, Submission } from '../../src/results.js';
import { sampleMessage } from '../support/samples.js';
import { RecordingSink } from '../support/sink.js';

const GROUPS = 4;
const NONE: number | undefined = undefined;

/** Group n is led by node n % 3 + 1, as this node, which is 1, sees it. */
function setUp({
  lead = (id: number) => (id % 3) + 1,
  room = 100,
  reachable = true,
  lowDiskBytes = NONE,
} = {}) {
  const log: string[] = [];
  const groups = Array.from({ length: GROUPS + 1 }, (_, id) => ({
    id,
    lead: lead(id),
    takesMessages: lead(id) === 1,
    backlogCount: room,
    enqueue: ({ message }: Submission) => {
      log.push(`group ${id} takes ${message.key}`);
      return room > 0;
    },
  }));
  const touched = new Set<AnswerSink>();
  const router = new Router({
    self: 1,
    groups: groups as unknown as Group[],
    limits: DEFAULT_LIMITS,
    forwarding: {
      forward: ({ message }: Submission, to: number) => log.push(`${message.key} to node ${to}`),
    } as unknown as Forwarding,
    touched,
    nowMs: () => 0,
    isReachable: () => reachable,
    lowDiskBytes: () => lowDiskBytes,
  });
  const sink = new RecordingSink();
  const submission = (changes: Partial<Message> = {}): Submission => ({
    message: sampleMessage(changes),
    sink,
    tag: 1,
    expiresMs: 1000,
  });
  return { router, log, sink, submission, touched };
}

/** A key whose document is in the group. */
function keyIn(group: number): string {
  for (let at = 0; ; at++) if (groupOf('log', `k${at}`, GROUPS) === group) return `k${at}`;
}

test('a message goes to its group here, or to the node that leads it', () => {
  const { router, log, submission } = setUp();
  for (const group of [1, 2, 3, 4]) router.submit(submission({ key: keyIn(group) }));
  assert.deepEqual(log, [
    `${keyIn(1)} to node 2`,
    `${keyIn(2)} to node 3`,
    `group 3 takes ${keyIn(3)}`,
    `${keyIn(4)} to node 2`,
  ]);
});

test('a forwarded message is executed here or not at all, so that none goes in circles', () => {
  const { router, log, sink, submission } = setUp();
  router.submitForwarded(submission({ key: keyIn(1) }));
  router.submitForwarded(submission({ key: keyIn(3) }));
  assert.deepEqual(log, [`group 3 takes ${keyIn(3)}`]);
  assert.deepEqual(sink.codes, ['UNAVAILABLE']);
});

test('without a leader that can be reached a message is refused, to be sent again', () => {
  for (const options of [{ lead: () => 0 }, { reachable: false, lead: () => 2 }]) {
    const { router, sink, submission, touched } = setUp(options);
    router.submit(submission());
    assert.deepEqual(sink.codes, ['UNAVAILABLE']);
    assert.ok(touched.has(sink));
  }
});

test('a full group answers OVERLOADED', () => {
  const { router, sink, submission } = setUp({ lead: () => 1, room: 0 });
  router.submit(submission());
  assert.deepEqual(sink.codes, ['OVERLOADED']);
});

test('a leader whose disk has little room answers OVERLOADED; what others lead goes there', () => {
  const { router, log, sink, submission } = setUp({ lowDiskBytes: 1000 });
  router.submit(submission({ key: keyIn(3) }));
  router.submit(submission({ key: keyIn(1) }));
  assert.deepEqual(sink.codes, ['OVERLOADED']);
  assert.deepEqual(log, [`${keyIn(1)} to node 2`]);
});

test('a node that drains takes no message, neither its clients’ nor its peers’', () => {
  const { router, log, sink, submission } = setUp({ lead: () => 1 });
  router.drain();
  router.submit(submission());
  router.submitForwarded(submission());
  assert.deepEqual(sink.codes, ['UNAVAILABLE', 'UNAVAILABLE']);
  assert.deepEqual(log, []);
});

test('clients have no way into the system space, the node itself does', () => {
  const { router, log, sink, submission } = setUp({ lead: () => 1 });
  const message = { space: SYSTEM_SPACE, key: 'machines', channel: 'deploy' };
  router.submit(submission(message));
  assert.deepEqual(sink.codes, ['INVALID_ARGUMENT']);
  router.submitOwn(submission(message));
  assert.deepEqual(log, ['group 0 takes machines']);
});

test('a malformed message is refused before anything else looks at it, wherever it comes from', () => {
  const { router, log, sink, submission } = setUp({ lead: () => 1 });
  router.submit(submission({ space: 'UPPER' }));
  router.submitForwarded(submission({ key: '' }));
  router.submit(submission({ number: 0 }));
  assert.deepEqual(sink.codes, ['INVALID_ARGUMENT', 'INVALID_ARGUMENT', 'INVALID_ARGUMENT']);
  assert.deepEqual(log, []);
});
