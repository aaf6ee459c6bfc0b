// Limits for random runs: many of them so small that what is rare in production happens all the time.

import type { Limits, Prng } from '@deltabase/base';

/** What each limit may be drawn from; about half of them keep their defaults in a run. */
const CHOICES = {
  uncommittedBytesMax: [1, 1000],
  writeQueueBytesMax: [1, 2000],
  silentAnswersMax: [1, 5],
  snapshotsWaitingMax: [1, 2],
  turnMessagesMax: [1, 3],
  turnFuelMax: [1, 20_000],
  groupQueueMax: [2, 10],
  forwardsMax: [2, 10],
  forwardTimeoutMs: [200, 1000],
  frameBytesMax: [1, 500],
  entryBytesMax: [1, 400],
  batchBytesMax: [1, 800],
  appendBytesMax: [1, 400],
  inflightAppendsMax: [1, 3],
  inflightBytesMax: [1, 600],
  logCacheBytesMax: [1, 500],
  flushBytesMax: [1, 1500],
  flushIntervalMs: [50, 400],
  trailingLogBytesMax: [0, 300],
  heldLogBytesMax: [0, 600],
  snapshotChunkBytesMax: [1, 400],
  snapshotTransfersMax: [1, 2],
  pieceBytesMax: [16, 200],
  chunkBytesMax: [1, 300],
  snapshotDeltaBytesMin: [1, 300],
  idleEvictMs: [100, 1000],
  residentBytesMax: [1, 1000],
  readQueueMax: [2, 10],
  historyPageMax: [1, 7],
  idleSleepMs: [1, 200],
  watchVersionsBytesMax: [1, 2000],
  composedBytesMax: [1, 500],
  heatDocumentsMax: [1, 2],
  heatHalfLifeMs: [1, 100],
  hotReadsPerSecondMin: [1, 20],
  hotCoolMs: [1, 500],
  watchStepsBytesMax: [1, 1000],
  watchProgressMs: [1, 300],
  headsMax: [1, 3],
  recentBytesMax: [1, 500],
  watchQueueBytesMax: [1, 2000],
  watchesPerStreamMax: [1, 3],
  ordersMax: [1, 2],
  replicasMax: [1, 2],
  copyReadsPerSecondMax: [1, 50],
} as const satisfies Partial<Record<keyof Limits, readonly number[]>>;

export function drawLimits(chance: Prng): Partial<Limits> {
  const drawn: { -readonly [Name in keyof Limits]?: number } = {};
  for (const [name, choices] of Object.entries(CHOICES)) {
    const choice = chance.below(choices.length * 2);
    if (choice < choices.length) drawn[name as keyof Limits] = choices[choice]!;
  }
  // Its default would keep all log of a run as soon as a node is away.
  const { trailingLogBytesMax } = drawn;
  if (trailingLogBytesMax !== undefined) drawn.absentLogBytesMax = 2 * trailingLogBytesMax;
  // A draw of its own would change all that come behind it in the runs that are known.
  if (drawn.entryBytesMax !== undefined) drawn.applyBytesMax = drawn.entryBytesMax;
  return drawn;
}
