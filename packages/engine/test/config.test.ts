import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS } from '@deltabase/base';
import { checkConfig, DEFAULT_TIMING, type EngineConfig } from '../src/config.js';
import { sampleConfig, sampleMember } from './support/samples.js';

const BAD: ReadonlyArray<readonly [Partial<EngineConfig>, RegExp]> = [
  [{ cluster: '' }, /cluster name/],
  [{ cluster: 'Has Space' }, /cluster name/],
  [{ node: 0 }, /node id 0/],
  [{ node: 65_536 }, /node id 65536/],
  [{ members: [1, 2.5].map(sampleMember) }, /node id 2.5/],
  [{ members: [1, 1].map(sampleMember) }, /each node once/],
  [{ groups: 0 }, /groups 0/],
  [{ groups: 4097 }, /groups 4097/],
  [{ timing: { ...DEFAULT_TIMING, tickMs: 0 } }, /tickMs/],
  [{ timing: { tickMs: 50, heartbeatTicks: 5, electionTicks: 9 } }, /electionTicks/],
  [
    { limits: { ...DEFAULT_LIMITS, peerFrameBytesMax: 4 * 2 ** 20 } },
    /peerFrameBytesMax is 4194304/,
  ],
  [{ limits: { ...DEFAULT_LIMITS, snapshotChunkBytesMax: 16 * 2 ** 20 } }, /snapshotChunkBytesMax/],
];

/** What a frame that has too much can have it from. */
const IN_FRAMES = [
  ...(['frameBytesMax', 'appendBytesMax', 'entryBytesMax'] as const),
  ...(['payloadBytesMax', 'patchBytesMax', 'replyBytesMax'] as const),
  ...(['snapshotChunkBytesMax', 'chunkBytesMax'] as const),
];

test('a limit that is too large for a frame is among those to lower', () => {
  for (const name of IN_FRAMES) {
    const limits = { ...DEFAULT_LIMITS, [name]: 16 * 2 ** 20 };
    const says = new RegExp(`raise it, or lower .*\\b${name}\\b`);
    assert.throws(() => checkConfig({ ...sampleConfig(), limits }), says);
  }
});

test('a configuration that cannot work is refused, with what to change', () => {
  checkConfig(sampleConfig());
  for (const [changes, says] of BAD) {
    assert.throws(() => checkConfig({ ...sampleConfig(), ...changes }), says);
  }
});
