// Our patches against those of another implementation, fast-json-patch with validation, on documents and
// operations drawn at random, fitting and not. Every difference must be one of the table below, which says
// by the RFC why ours is right; every row of the table must really be met.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { applyPatch } from '../src/apply.js';
import { canonicalJson } from '../src/canonical.js';
import { fromJson, type Json } from '../src/json.js';
import { parsePatch } from '../src/parse-patch.js';
import { json, name } from './arbitraries.js';
import { pointersIn } from './patch-arbitraries.js';

interface Peer {
  applyPatch(
    document: Json,
    patch: readonly Json[],
    validate: boolean,
    mutate: boolean,
    banPrototypes: boolean,
  ): { readonly newDocument: Json | undefined };
}

/** An operation as anyone may send it. */
type Sent = Readonly<Record<string, Json>>;

type Place = readonly [parent: Json | undefined, token: string];

interface Explained {
  readonly difference: string;
  readonly because: string;
  /** Who refuses what the other applies. */
  readonly refusedBy: 'us' | 'them';
  readonly applies: (document: Json, operation: Sent) => boolean;
  readonly example: readonly [document: Json, operation: Sent];
}

const EXPLAINED: readonly Explained[] = [
  {
    difference: 'a pointer with a bad escape or without its first slash',
    because:
      'RFC 6901 §3: "It is an error condition if a JSON Pointer value does not conform to this syntax"',
    refusedBy: 'us',
    applies: (_, operation) =>
      pointersOf(operation).some((pointer) => !/^(\/([^~/]|~[01])*)*$/s.test(pointer)),
    example: [{ a: 1 }, { op: 'add', path: '/~2', value: 1 }],
  },
  {
    difference: 'a location inside a scalar',
    because:
      'RFC 6902 §4.1: "the object to be patched MUST contain" the object or array that holds the target',
    refusedBy: 'us',
    applies: (document, operation) =>
      parentsOf(document, operation).some(([parent]) => !isContainer(parent)),
    example: ['text', { op: 'add', path: '/a', value: 1 }],
  },
  {
    difference: 'a source that does not exist',
    because:
      'RFC 6902 §4.4, §4.5: "The "from" location MUST exist for the operation to be successful"',
    refusedBy: 'us',
    applies: (document, { from }) =>
      typeof from === 'string' && lookup(document, from) === undefined,
    example: [[], { op: 'copy', from: '/b', path: '' }],
  },
  {
    difference: 'removing the whole document, which they replace with null',
    because:
      'RFC 6902 §1: operations apply "to a JavaScript Object Notation (JSON) document"; none would remain',
    refusedBy: 'us',
    applies: (_, { op, path }) => op === 'remove' && path === '',
    example: [{ a: 1 }, { op: 'remove', path: '' }],
  },
  {
    difference: 'a position with leading zeros, or without digits',
    because: 'RFC 6901 §4: an index is digits and "MUST NOT have leading zeros"',
    refusedBy: 'us',
    applies: (document, operation) =>
      parentsOf(document, operation).some(
        ([parent, token]) => Array.isArray(parent) && !/^(-|0|[1-9][0-9]*)$/.test(token),
      ),
    example: [[1, 2], { op: 'add', path: '/01', value: 1 }],
  },
  {
    difference: 'moving something into itself',
    because:
      'RFC 6902 §4.4: "The "from" location MUST NOT be a proper prefix of the "path" location"',
    refusedBy: 'us',
    applies: (_, { op, from, path }) =>
      op === 'move' && `${String(path)}`.startsWith(`${String(from)}/`),
    example: ['text', { op: 'move', from: '', path: '/a' }],
  },
  {
    difference: 'a member that only a prototype has',
    because:
      'RFC 6902 §4.2, §4.3: "The target location MUST exist for the operation to be successful"',
    refusedBy: 'us',
    applies: (document, { op, path }) =>
      (op === 'replace' || op === 'remove') && lookup(document, String(path)) === undefined,
    example: [{ a: 1 }, { op: 'replace', path: '/constructor', value: 1 }],
  },
  {
    difference: 'the names "__proto__" and "constructor/prototype", which they ban',
    because:
      'RFC 6901 §4: a member is found by comparing names "by code points"; no name is special',
    refusedBy: 'them',
    applies: (_, operation) =>
      pointersOf(operation).some((pointer) => /__proto__|constructor\/prototype/.test(pointer)),
    example: [{ a: 1 }, { op: 'add', path: '/__proto__', value: 1 }],
  },
  {
    difference: 'copying or moving to a position beyond the end, which they do not check',
    because: 'RFC 6902 §4.1: "The specified index MUST NOT be greater than the number of elements"',
    refusedBy: 'us',
    applies: (document, operation) =>
      parentsOf(document, operation).some(
        ([parent, token]) => Array.isArray(parent) && Number(token) > parent.length,
      ),
    example: [[1], { op: 'copy', from: '/0', path: '/2' }],
  },
  {
    difference:
      'moving to a place that is there only once the source is gone, which they look for before',
    because:
      'RFC 6902 §4.4: "a "remove" operation on the "from" location, followed immediately by an "add"',
    refusedBy: 'them',
    applies: passesSource,
    example: [[1, 2, {}], { op: 'move', from: '/0', path: '/1/a' }],
  },
];

const peer = await loadPeer();
const skip = peer === undefined ? 'fast-json-patch is not installed' : false;

const tail = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('', '/-', '/0', '/1', '/2', '/a', '/0/0', '/x') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '/01',
      '/1e0',
      '/-1',
      '/~',
      '/~2',
      '/__proto__',
      '/length',
      'x',
      '/',
    ),
  },
  {
    weight: 2,
    arbitrary: name.map((each) => `/${each.replaceAll('~', '~0').replaceAll('/', '~1')}`),
  },
);

type Drawn = typeof sent extends fc.Arbitrary<infer T> ? T : never;

const sent = fc.record({
  op: fc.constantFrom('add', 'add', 'remove', 'replace', 'move', 'copy', 'test', 'spam'),
  at: fc.nat(),
  tail,
  fromAt: fc.nat(),
  fromTail: fc.oneof(fc.constant(''), tail),
  value: json,
  without: fc.option(fc.constantFrom('op', 'path', 'from', 'value'), { freq: 12 }),
  extra: fc.boolean(),
});

test('differences from fast-json-patch are all explained', { skip }, () => {
  const met = new Map<Explained, number>();
  let compared = 0;
  fc.assert(
    fc.property(json, fc.array(sent, { minLength: 1, maxLength: 5 }), (start, drawn) => {
      let document = start;
      for (const each of drawn) {
        const operation = makeOperation(document, each);
        const [ours, theirs] = [
          outcomeOfOurs(document, operation),
          outcomeOfTheirs(document, operation),
        ];
        compared++;
        if (ours !== theirs) {
          const row = explain(document, operation, ours, theirs);
          assert.ok(
            row,
            `${JSON.stringify([document, operation])}: ours ${ours}, theirs ${theirs}`,
          );
          met.set(row, (met.get(row) ?? 0) + 1);
        }
        if (ours === undefined) return;
        document = JSON.parse(ours) as Json;
      }
    }),
    { numRuns: 2500 },
  );
  assert.ok(compared > 2500);
});

for (const row of EXPLAINED) {
  test(`a known difference is met: ${row.difference}`, { skip }, () => {
    const [document, operation] = row.example;
    assert.ok(row.applies(document, operation), row.because);
    const [ours, theirs] = [
      outcomeOfOurs(document, operation),
      outcomeOfTheirs(document, operation),
    ];
    assert.equal(ours === undefined, row.refusedBy === 'us');
    assert.equal(theirs === undefined, row.refusedBy === 'them');
  });
}

function explain(
  document: Json,
  operation: Sent,
  ours: string | undefined,
  theirs: string | undefined,
): Explained | undefined {
  return EXPLAINED.find(({ refusedBy, applies }) => {
    if (ours !== undefined && theirs !== undefined) return false;
    return refusedBy === (ours === undefined ? 'us' : 'them') && applies(document, operation);
  });
}

/** The canonical JSON of the document after `operation`; `undefined`: it was refused. */
function outcomeOfOurs(document: Json, operation: Sent): string | undefined {
  try {
    return canonicalJson(applyPatch(fromJson(document), parsePatch([operation])));
  } catch (thrown) {
    assert.equal((thrown as { code?: unknown }).code, 'BAD_PATCH');
    return undefined;
  }
}

function outcomeOfTheirs(document: Json, operation: Sent): string | undefined {
  let after: Json | undefined;
  try {
    after = peer!.applyPatch(clone(document), [clone(operation)], true, true, true).newDocument;
  } catch {
    return undefined;
  }
  try {
    return canonicalJson(fromJson(clone(after!)));
  } catch {
    return 'no JSON'; // They applied it, and made a cycle or nothing at all.
  }
}

function makeOperation(document: Json, drawn: Drawn): Sent {
  const pointers = pointersIn(document);
  const operation: Record<string, Json> = {
    op: drawn.op,
    path: `${pointers[drawn.at % pointers.length]}${drawn.tail}`,
  };
  if (drawn.op === 'move' || drawn.op === 'copy') {
    operation['from'] = `${pointers[drawn.fromAt % pointers.length]}${drawn.fromTail}`;
  } else if (drawn.op !== 'remove') {
    operation['value'] = drawn.value;
  }
  if (drawn.without !== null) delete operation[drawn.without];
  if (drawn.extra) operation['extra'] = 1;
  return operation;
}

function pointersOf({ op, path, from }: Sent): readonly string[] {
  const used = op === 'move' || op === 'copy' ? [path, from] : [path];
  return used.filter((pointer) => typeof pointer === 'string');
}

/** What `pointer` means in `document`, by own members only; `undefined`: nothing. */
function lookup(document: Json, pointer: string): Json | undefined {
  let value: Json | undefined = document;
  for (const token of pointer.split('/').slice(1)) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~');
    if (!isContainer(value) || !Object.hasOwn(value, key)) return undefined;
    if (Array.isArray(value) && !/^(0|[1-9][0-9]*)$/.test(key)) return undefined;
    value = (value as Readonly<Record<string, Json>>)[key];
  }
  return value;
}

/** What holds the places that `operation` names, and by which token, when it comes to them. */
function parentsOf(document: Json, operation: Sent): readonly Place[] {
  const { op, path, from } = operation;
  const places = [placeIn(op === 'move' ? without(document, String(from)) : document, path)];
  if (op === 'move' || op === 'copy') places.push(placeIn(document, from));
  return places.filter((place) => place !== undefined);
}

/** `undefined`: the whole document, which nothing holds. */
function placeIn(document: Json, pointer: Json | undefined): Place | undefined {
  if (typeof pointer !== 'string' || pointer === '') return undefined;
  return [lookup(document, parentOf(pointer)), pointer.slice(pointer.lastIndexOf('/') + 1)];
}

/** Whether the path of a "move" leads through the array that loses an element by it. */
function passesSource(document: Json, { op, from, path }: Sent): boolean {
  const parent = parentOf(String(from));
  if (op !== 'move' || !Array.isArray(lookup(document, parent))) return false;
  return String(path).startsWith(`${parent}/`);
}

/** `document` without what is at `pointer`, if there is something. */
function without(document: Json, pointer: string): Json {
  const copy = clone(document);
  const parent = lookup(copy, parentOf(pointer));
  if (Array.isArray(parent)) parent.splice(Number(pointer.slice(pointer.lastIndexOf('/') + 1)), 1);
  return copy;
}

function parentOf(pointer: string): string {
  return pointer.slice(0, Math.max(0, pointer.lastIndexOf('/')));
}

function isContainer(value: Json | undefined): value is object & Json {
  return typeof value === 'object' && value !== null;
}

function clone<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

async function loadPeer(): Promise<Peer | undefined> {
  const library: string = 'fast-json-patch';
  try {
    return ((await import(library)) as { readonly default: Peer }).default;
  } catch {
    return undefined;
  }
}
