import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type ConfChange,
  decodeConfChange,
  encodeConfChange,
  LEAVE_JOINT,
  type NodeChange,
} from '../src/conf-change.js';
import { isRaftError } from '../src/errors.js';
import { bytesOf, NO_DATA } from './support/entries.js';

const PLAIN = { noNullPrototype: true };
const nodeChange: fc.Arbitrary<NodeChange> = fc.record(
  {
    kind: fc.constantFrom('addVoter', 'addLearner', 'remove'),
    node: fc.maxSafeNat().map((id) => Math.max(1, id)),
  },
  PLAIN,
);
const change: fc.Arbitrary<ConfChange> = fc.record(
  {
    transition: fc.constantFrom('auto', 'implicit', 'explicit'),
    changes: fc.array(nodeChange, { maxLength: 5 }),
    context: fc.uint8Array({ maxLength: 20 }),
  },
  PLAIN,
);

test('the encoding of version 1 stays as it is', () => {
  const golden: readonly (readonly [ConfChange, string])[] = [
    [LEAVE_JOINT, '010000000000'],
    [
      { transition: 'auto', changes: [{ kind: 'addVoter', node: 3 }], context: NO_DATA },
      '010001000000000300000000000000',
    ],
    [
      {
        transition: 'explicit',
        changes: [
          { kind: 'remove', node: 2 ** 53 - 1 },
          { kind: 'addLearner', node: 258 },
        ],
        context: bytesOf('why'),
      },
      '01020200000002ffffffffffff1f0001020100000000000077'.concat('6879'),
    ],
    [{ transition: 'implicit', changes: [], context: bytesOf('x') }, '01010000000078'],
  ];
  for (const [decoded, hex] of golden) {
    assert.equal(Buffer.from(encodeConfChange(decoded)).toString('hex'), hex);
    assert.deepEqual(decodeConfChange(new Uint8Array(Buffer.from(hex, 'hex'))), decoded);
  }
});

test('what is encoded is decoded again, wherever it lies in a larger buffer', () => {
  fc.assert(
    fc.property(change, fc.nat({ max: 9 }), (original, offset) => {
      const bytes = encodeConfChange(original);
      const buffer = new Uint8Array(offset + bytes.length + 3).fill(0xee);
      buffer.set(bytes, offset);
      const decoded = decodeConfChange(buffer.subarray(offset, offset + bytes.length));
      assert.deepEqual(decoded, original);
    }),
  );
});

test('bytes that are no change of version 1 are refused', () => {
  const table: readonly (readonly [string, string])[] = [
    ['nothing', ''],
    ['a header cut off', '0100000000'],
    ['another version', '020000000000'],
    ['an unknown transition', '010300000000'],
    ['an unknown kind', '010001000000030300000000000000'],
    ['node 0', '010001000000000000000000000000'],
    ['a node beyond 2^53', '0100010000000000000000000020ff'],
    ['a change cut off', '0100010000000003000000000000'],
    ['a count beyond the end', '0100ffffffff'],
  ];
  for (const [what, hex] of table) {
    assert.throws(
      () => decodeConfChange(new Uint8Array(Buffer.from(hex, 'hex'))),
      (thrown) => isRaftError(thrown, 'ConfChangeInvalid'),
      what,
    );
  }
});

test('bytes of any kind are decoded or refused, never more', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      try {
        assert.deepEqual(encodeConfChange(decodeConfChange(bytes)), bytes);
      } catch (thrown) {
        assert.ok(isRaftError(thrown, 'ConfChangeInvalid'), String(thrown));
      }
    }),
  );
});

test('a change of what is no node is not encoded', () => {
  for (const node of [0, -1, 1.5, Number.NaN, 2 ** 53]) {
    assert.throws(
      () =>
        encodeConfChange({
          transition: 'auto',
          changes: [{ kind: 'addVoter', node }],
          context: NO_DATA,
        }),
      (thrown) => isRaftError(thrown, 'ConfChangeInvalid'),
      String(node),
    );
  }
});
