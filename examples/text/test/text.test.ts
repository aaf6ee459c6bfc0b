import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '@deltabase/delta';
import fc from 'fast-check';
import { ExampleDocument, sendSamples } from '../../harness.js';
import { readText, type TextState } from '../read-text.js';

const CHUNK_MAX = 32;
const GROUP_MAX = 96;

/** What a state must be besides being the right text. */
function checkState(state: Json): void {
  const { lengths, text } = state as unknown as TextState;
  assert.deepEqual(Object.keys(lengths).sort(), Object.keys(text).sort());
  for (const [group, chunks] of Object.entries(text)) {
    const list = Object.values(chunks);
    assert.ok(list.length > 0 && list.length <= GROUP_MAX, `${list.length} chunks`);
    for (const chunk of list) {
      const points = [...chunk].length;
      assert.ok(points > 0 && points <= CHUNK_MAX && chunk.isWellFormed(), `${points} code points`);
    }
    const points = list.reduce((sum, chunk) => sum + [...chunk].length, 0);
    assert.equal(lengths[group], points, 'a group knows its length');
  }
}

/** The text as its code points, which is what it must always be. */
class Plain {
  points: string[] = [];

  splice(at: number, count: number, text: string): void {
    this.points.splice(at, count, ...text);
  }

  get text(): string {
    return this.points.join('');
  }
}

test('the sample messages make their text', () => {
  const state = sendSamples('text').state;
  assert.equal(readText(state), 'Deltabase keeps long texts in short chunks .');
  checkState(state);
});

test('positions are code points, whatever they are made of', () => {
  const document = new ExampleDocument('text');
  assert.equal(document.do('insert', { at: 0, text: 'a🙂é\u0000"\\\n漢' }), 8);
  assert.equal(document.do('insert', { at: 2, text: '-' }), 9);
  assert.equal(document.do('delete', { at: 3, count: 1 }), 8);
  assert.equal(document.do('splice', { at: 1, delete: 1, insert: '𝒳𝒴' }), 9);
  assert.equal(readText(document.state), 'a𝒳𝒴-\u0000"\\\n漢');
  checkState(document.state);
});

test('bad arguments are rejected', () => {
  const document = new ExampleDocument('text');
  document.do('insert', { at: 0, text: 'hello' });
  assert.match(document.rejected('insert', { at: 6, text: 'x' }), /from 0 to 5/);
  assert.match(document.rejected('insert', { at: -1, text: 'x' }), /`at`/);
  assert.match(document.rejected('insert', { at: 1.5, text: 'x' }), /`at`/);
  assert.match(document.rejected('insert', { text: 'x' }), /`at`/);
  assert.match(document.rejected('insert', { at: 0, text: 7 }), /`text` must be a text/);
  assert.match(document.rejected('delete', { at: 3, count: 3 }), /`count`.* from 0 to 2/);
  assert.match(document.rejected('splice', { at: 0, delete: 6 }), /`delete`/);
});

test('an edit that changes nothing emits nothing', () => {
  const document = new ExampleDocument('text');
  document.do('insert', { at: 0, text: 'hello' });
  assert.equal(document.send('splice', { at: 2, delete: 0, insert: '' }).patchBytes, '[]'.length);
});

interface Edit {
  readonly at: number;
  readonly remove: number;
  readonly insert: string;
}

/** Edits at random fractions of the text: mostly small, some large, in all of Unicode. */
const edits: fc.Arbitrary<readonly Edit[]> = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    remove: fc.oneof(
      { weight: 3, arbitrary: fc.nat(3) },
      { weight: 2, arbitrary: fc.nat(80) },
      { weight: 1, arbitrary: fc.nat(4000) },
    ),
    insert: fc.oneof(
      { weight: 4, arbitrary: fc.string({ unit: 'binary', maxLength: 4 }) },
      { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 90 }) },
      {
        weight: 1,
        arbitrary: fc
          .tuple(fc.string({ unit: 'binary', minLength: 1 }), fc.nat(400))
          .map(([text, times]) => text.repeat(times).slice(0, 6000)),
      },
    ),
  }),
  { maxLength: 60 },
);

test('after any edits the text is that of a plain list of code points', () => {
  fc.assert(
    fc.property(edits, (list) => {
      const document = new ExampleDocument('text');
      const plain = new Plain();
      for (const edit of list) {
        const at = Math.round(edit.at * plain.points.length);
        const remove = Math.min(edit.remove, plain.points.length - at);
        const insert = edit.insert.toWellFormed();
        plain.splice(at, remove, insert);
        assert.equal(document.do('splice', { at, delete: remove, insert }), plain.points.length);
        assert.equal(readText(document.state), plain.text);
        checkState(document.state);
      }
    }),
    { numRuns: 60 },
  );
});

test('typing, typing backwards and deleting backwards at one place stay correct and small', () => {
  const document = new ExampleDocument('text');
  const plain = new Plain();
  document.do('insert', { at: 0, text: 'x'.repeat(3000) });
  plain.splice(0, 0, 'x'.repeat(3000));
  const splice = (at: number, remove: number, insert: string) => {
    plain.splice(at, remove, insert);
    return document.send('splice', { at, delete: remove, insert }).patchBytes;
  };
  let bytes = 0;
  for (let i = 0; i < 2500; i++) bytes += splice(1500 + i, 0, 'a');
  for (let i = 0; i < 2500; i++) bytes += splice(1500, 0, 'b');
  for (let i = 0; i < 4000; i++) bytes += splice(5500 - i, 1, '');
  assert.equal(readText(document.state), plain.text);
  checkState(document.state);
  assert.ok(bytes / 9000 < 150, `${bytes / 9000} bytes a keystroke`);
});

test('replacing one character emits one chunk, wherever it is', () => {
  const document = new ExampleDocument('text');
  document.do('insert', { at: 0, text: 'x'.repeat(500) });
  for (let at = 0; at < 500; at++) {
    const { patchBytes } = document.send('splice', { at, delete: 1, insert: 'y' });
    assert.ok(patchBytes < 100, `${patchBytes} bytes at ${at}`);
  }
  assert.equal(readText(document.state), 'y'.repeat(500));
});

test('typing in the middle of what was typed finds names, and typing on keeps them short', () => {
  const document = new ExampleDocument('text');
  const plain = new Plain();
  const type = (at: number, text: string) => {
    plain.splice(at, 0, text);
    document.do('insert', { at, text });
  };
  for (let i = 0; i < 1500; i++) type(i, 'a');
  const { text } = document.state as unknown as TextState;
  const names = Object.values(text).flatMap((chunks) => Object.keys(chunks));
  assert.ok(names.length > 40 && names.every((name) => name.length === 3), names.join());
  // Neighbours that were typed are 16 steps apart: five times a half, and digits must be added.
  for (let i = 0; i < 400; i++) type(330, String.fromCharCode(0x62 + (i % 20)));
  for (let i = 0; i < 400; i++) type(600 + (i >> 1), 'z');
  assert.equal(readText(document.state), plain.text);
  checkState(document.state);
});

test('a text that is thinned out is kept in few groups and chunks', () => {
  const document = new ExampleDocument('text');
  for (let at = 0; at < 36_000; at += 9000) document.do('insert', { at, text: 'x'.repeat(9000) });
  for (let at = 0; at < 900; at++) document.do('delete', { at, count: 39 });
  assert.equal(readText(document.state), 'x'.repeat(900));
  checkState(document.state);
  const { text } = document.state as unknown as TextState;
  const chunks = Object.values(text).reduce((sum, group) => sum + Object.keys(group).length, 0);
  assert.ok(
    chunks < 200 && Object.keys(text).length < 12,
    `${chunks} chunks, ${Object.keys(text).length}`,
  );
});

test('a keystroke costs about the same in a text of 300 KB', () => {
  const cost = (length: number) => {
    const document = new ExampleDocument('text');
    const lines = 'The quick brown fox jumps over the lazy dog. '.repeat(200);
    for (let at = 0; at < length; at += lines.length) document.do('insert', { at, text: lines });
    const sent = Array.from({ length: 300 }, (_, i) => {
      const at = (i * 7919) % length;
      return document.send(i % 3 === 0 ? 'delete' : 'insert', { at, text: 'x', count: 1 });
    });
    checkState(document.state);
    const bytes = sent.map(({ patchBytes }) => patchBytes).sort((a, b) => a - b);
    const fuel = sent.map(({ outcome }) => outcome.fuel).sort((a, b) => a - b);
    return { bytes: bytes[150]!, bytesMost: bytes[299]!, fuel: fuel[150]! };
  };
  const short = cost(18_000);
  const long = cost(300_000);
  assert.ok(short.bytes <= 150 && long.bytes <= 150, `${short.bytes}, ${long.bytes} bytes`);
  assert.ok(long.bytesMost < 400, `${long.bytesMost} bytes`);
  assert.ok(long.fuel < 4 * short.fuel, `${long.fuel} units instead of ${short.fuel}`);
});
