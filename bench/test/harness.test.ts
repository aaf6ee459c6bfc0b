import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Bound, cell, quantile, required, spreadOf } from '../src/harness.js';
import { checksumOfDocuments } from '../src/read-back.js';

const RATE: Bound = {
  what: 'documents',
  is: 'at least',
  limit: 40_000,
  measured: 40_000,
  unit: ' messages/s',
};

test('a bound is kept up to its limit, and failed beyond', () => {
  const said = (bound: Partial<Bound>): string => required({ smoke: false }, { ...RATE, ...bound });
  assert.equal(
    said({}),
    'Required: documents at least 40,000 messages/s: 40,000 messages/s, passed.',
  );
  assert.match(said({ measured: 39_999 }), /FAILED/);
  assert.match(said({ is: 'at most' }), /passed/);
  assert.match(
    said({ is: 'at most', limit: 1.2, measured: 1.21 }),
    /at most 1\.2.*: 1\.21.*FAILED/,
  );
});

test('a bound without a figure is not kept', () => {
  assert.match(required({ smoke: false }, { ...RATE, measured: Number.NaN }), /FAILED/);
  const smaller: Bound = { ...RATE, is: 'at most', measured: Number.NaN };
  assert.match(required({ smoke: false }, smaller), /FAILED/);
});

test('a smoke test judges nothing', () => {
  assert.doesNotMatch(required({ smoke: true }, RATE), /passed|FAILED/);
});

test('runs are summed up by their median, the least and the most', () => {
  assert.deepEqual(spreadOf([5, 1, 3]), { median: 3, min: 1, max: 5 });
  assert.equal(cell(spreadOf([5.123, 1, 3])), '3 (1-5.12)');
  assert.equal(quantile([1, 2, 3, 4], 0.99), 4);
});

test('the checksum tells documents with other states or seqs apart', () => {
  const document = { key: 'a', seq: 1, value: { n: 1 } };
  const sums = [
    [document],
    [{ ...document, seq: 2 }],
    [{ ...document, value: { n: 2 } }],
    [{ ...document, key: 'b' }],
    [],
  ].map(checksumOfDocuments);
  assert.equal(new Set(sums).size, sums.length);
  assert.equal(checksumOfDocuments([{ ...document }]), sums[0]);
});
