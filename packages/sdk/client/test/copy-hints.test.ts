import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CopyHints } from '../src/cluster/copy-hints.js';
import { CLIENT_LIMITS } from '../src/limits.js';

const LIMITS = { ...CLIENT_LIMITS, copyHintsMax: 3, copiesMax: 4, copyHintMs: 5000 };
const ANY = (): boolean => true;

function setUp() {
  const world = { now: 0, chance: 0, nowMs: () => world.now, random: () => world.chance };
  const hints = new CopyHints({ world, limits: LIMITS });
  return { world, hints };
}

test('reads are spread over the copies by chance, and over those only that may be used', () => {
  const { world, hints } = setUp();
  hints.learn('s/a', ['a:1', 'b:1', 'c:1']);
  const chosen = (mayUse: (address: string) => boolean = ANY): Array<string | undefined> =>
    [0, 0.34, 0.67, 0.999].map((chance) => {
      world.chance = chance;
      return hints.choose('s/a', mayUse);
    });
  assert.deepEqual(chosen(), ['a:1', 'b:1', 'c:1', 'c:1']);
  assert.deepEqual(
    chosen((address) => address !== 'b:1'),
    ['a:1', 'a:1', 'c:1', 'c:1'],
  );
  assert.deepEqual(
    chosen(() => false),
    [undefined, undefined, undefined, undefined],
  );
  assert.equal(hints.choose('s/other', ANY), undefined);
});

test('now and then one read asks anew, the others go on; without an answer another one asks', () => {
  const { world, hints } = setUp();
  hints.learn('s/a', ['a:1']);
  world.now = 4999;
  assert.equal(hints.choose('s/a', ANY), 'a:1');
  const chosen: Array<string | undefined> = [];
  for (world.now = 5000; world.now < 7000; world.now += 500)
    chosen.push(hints.choose('s/a', ANY), hints.choose('s/a', ANY));
  assert.deepEqual(chosen, [
    ...[undefined, 'a:1'],
    ...['a:1', 'a:1'],
    ...[undefined, 'a:1'],
    ...['a:1', 'a:1'],
  ]);
  hints.learn('s/a', ['b:1']);
  assert.equal(hints.choose('s/a', ANY), 'b:1');
  world.now += 4999;
  assert.equal(hints.choose('s/a', ANY), 'b:1');
});

test('who only looks takes no news away from others', () => {
  const { world, hints } = setUp();
  hints.learn('s/a', ['a:1']);
  world.now = 6000;
  assert.equal(hints.chooseKnown('s/a', ANY), 'a:1');
  assert.equal(hints.choose('s/a', ANY), undefined);
  world.now = 10_000;
  assert.equal(hints.chooseKnown('s/a', ANY), undefined);
});

test('what nobody has confirmed for long is not believed any more', () => {
  const { world, hints } = setUp();
  hints.learn('s/a', ['a:1']);
  world.now = 10_000;
  for (let count = 0; count < 3; count++) assert.equal(hints.choose('s/a', ANY), undefined);
  assert.equal(hints.size, 0);
});

test('who is told that there are no copies goes the leader’s way', () => {
  const { hints } = setUp();
  hints.learn('s/a', ['a:1']);
  hints.learn('s/a', []);
  assert.equal(hints.choose('s/a', ANY), undefined);
  assert.equal(hints.size, 0);
});

test('of so many documents and copies no more are known; what was told of longest ago goes first', () => {
  const { world, hints } = setUp();
  for (const name of ['s/a', 's/b', 's/c']) hints.learn(name, ['x:1']);
  hints.learn('s/a', ['x:1']);
  hints.learn('s/d', ['a:1', 'b:1', 'c:1', 'd:1', 'e:1']);
  assert.equal(hints.size, 3);
  assert.equal(hints.choose('s/b', ANY), undefined);
  assert.equal(hints.choose('s/a', ANY), 'x:1');
  world.chance = 0.999;
  assert.equal(hints.choose('s/d', ANY), 'd:1');
});

test('what is no address is not gone to', () => {
  const { hints } = setUp();
  hints.learn('s/a', [
    '',
    'host',
    'a b:1',
    'host:',
    'host:99999',
    'host:0',
    'host:123456',
    `${'x'.repeat(300)}:1`,
  ]);
  assert.equal(hints.size, 0);
  hints.learn('s/a', ['[::1]:7420']);
  assert.equal(hints.choose('s/a', ANY), '[::1]:7420');
});
