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

/** Nothing of one is that of another, but by chance. */
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

const few = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);

/** Records that have all in common but a field or two, short ones and such as need two or three bytes for their length. */
export const neighbours: fc.Arbitrary<DeltaRecord[]> = fc.array(
  fc
    .record({
      space: few('counter', 'counter', 'log'),
      key: few('a', 'a', 'b', 'k'.repeat(40), 'k'.repeat(130)),
      session: few('c1', 'c1', 'c2', 'c'.repeat(50)),
      openedAt: few(1, 1, 2 ** 40),
      principal: few('anonymous', 'anonymous', 'ops'),
      channel: few('add', 'add', 'set', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7', 'a8', 'a9'),
      version: few(1, 1, 2),
      payload: few(0, 0, 20, 40, 80, 90, 120, 300, 16_300, 16_400).map((n) =>
        new Uint8Array(n).fill(n),
      ),
      seq: count.map((seq) => Math.max(1, seq)),
      snapshotAdvised: fc.boolean(),
    })
    .map(sampleRecord),
  { minLength: 1, maxLength: 30 },
);

/** A record whose bytes compare by what is in them. */
export function normal(record: object): object {
  return Object.fromEntries(
    Object.entries(record).map(([field, value]) => [
      field,
      value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
    ]),
  );
}
