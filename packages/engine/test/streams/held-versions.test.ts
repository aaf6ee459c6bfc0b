import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromJson, type Value } from '@deltabase/delta';
import { HeldVersions, type VersionHolder } from '../../src/streams/held-versions.js';

class Holder implements VersionHolder {
  lost = 0;

  letGo(): void {
    this.lost++;
  }
}

/** A state of about a thousand bytes, each time another. */
function state(): Value {
  return fromJson({ text: 'x'.repeat(740) });
}

test('a version that several hold counts once, and until the last of them releases it', () => {
  const versions = new HeldVersions(10_000);
  const [one, other] = [new Holder(), new Holder()];
  const root = state();
  assert.ok(versions.hold(root, one));
  const { bytes } = versions;
  assert.ok(bytes > 1000 && bytes < 1100);
  assert.ok(versions.hold(root, other));
  assert.equal(versions.bytes, bytes);
  versions.release(root, one);
  versions.release(root, one);
  assert.equal(versions.bytes, bytes);
  versions.release(root, other);
  assert.equal(versions.bytes, 0);
});

test('beyond the limit what has been held longest is let go, and whoever held it is told', () => {
  const versions = new HeldVersions(3500);
  const holders = Array.from({ length: 5 }, () => new Holder());
  for (const holder of holders) {
    assert.ok(versions.hold(state(), holder));
    assert.ok(versions.bytes <= 3500);
  }
  assert.deepEqual(
    holders.map(({ lost }) => lost),
    [1, 1, 0, 0, 0],
  );
});

test('a version that is larger than the limit is not held, and takes no place from others', () => {
  const versions = new HeldVersions(1500);
  const [one, other] = [new Holder(), new Holder()];
  versions.hold(state(), one);
  assert.ok(!versions.hold(fromJson('y'.repeat(2000)), other));
  assert.deepEqual([one.lost, other.lost], [0, 0]);
  assert.ok(versions.bytes > 1000);
});
