// Delta records of any content, for the tests of their formats.

import fc from 'fast-check';
import type { DeltaRecord } from '../src/index.js';
import { sampleRecord } from './sample.js';

export const bytes = (maxLength: number) => fc.uint8Array({ maxLength });

/** Small and large numbers, with lengths of their own in every format. */
const count = fc.oneof(fc.nat(300), fc.nat(0x1ffff), fc.maxSafeNat());

export const text = fc.oneof(
  fc.string({ maxLength: 300 }),
  fc.string({ unit: 'binary', maxLength: 90 }),
);

const pointer = fc
  .array(fc.oneof(fc.string(), fc.nat(99).map(String)))
  .map((tokens) =>
    tokens
      .map((token) => `/${token.toWellFormed().replaceAll('~', '~0').replaceAll('/', '~1')}`)
      .join(''),
  );

/** Patches as leaders make them: canonical JSON, but for the order of names in values. */
export const patches: fc.Arbitrary<Uint8Array> = fc
  .array(
    fc.oneof(
      fc.record({ op: fc.constantFrom('add', 'replace', 'test'), path: pointer, value: fc.json() }),
      fc.record({ op: fc.constant('remove'), path: pointer }),
      fc.record({ from: pointer, op: fc.constantFrom('move', 'copy'), path: pointer }),
    ),
    { maxLength: 5 },
  )
  .map((operations) =>
    operations.map((operation) =>
      'value' in operation ? { ...operation, value: JSON.parse(operation.value) } : operation,
    ),
  )
  .map((operations) => Buffer.from(JSON.stringify(operations)));

const name = fc
  .oneof(fc.constantFrom('', 'a', 'add', 'visits'), text)
  .map((each) => each.toWellFormed());
const hash = fc
  .bigInt({ min: 0n, max: 2n ** 64n - 1n })
  .map((h) => h.toString(16).padStart(16, '0'));

/** With names that often come again. */
export const records: fc.Arbitrary<DeltaRecord> = fc
  .record({
    space: name,
    key: name,
    seq: count,
    session: name,
    openedAt: count,
    number: count,
    settled: count,
    principal: name,
    channel: name,
    payload: bytes(70_000),
    time: count,
    seed: fc.nat(0xffffffff),
    version: count,
    patch: fc.oneof(patches, bytes(300)),
    reply: fc.option(bytes(300), { nil: undefined }),
    fuel: count,
    hash,
    snapshotAdvised: fc.boolean(),
  })
  .map((changes) => sampleRecord({ ...changes, seq: Math.max(1, changes.seq) }));

/** A record whose bytes compare by what is in them. */
export function normal(record: object): object {
  return Object.fromEntries(
    Object.entries(record).map(([field, value]) => [
      field,
      value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
    ]),
  );
}
