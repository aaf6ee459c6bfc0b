// The tables of README.md against the code: nothing is missing, nothing is left over, and what can be tried is.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { RaftAssertionError } from '../src/assert.js';
import { type Config, completeConfig, type FullConfig } from '../src/config.js';
import { isRaftError, RaftError, type RaftErrorCode } from '../src/errors.js';
import { RaftLog } from '../src/log.js';
import { MemoryStorage } from '../src/memory-storage.js';
import type { ProgressState } from '../src/progress.js';
import type { Storage } from '../src/storage.js';
import { entryBytes, type Role } from '../src/types.js';
import { entriesFrom, entry } from './support/entries.js';
import { Single } from './support/single.js';

const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

type Row = Readonly<Record<string, string>>;

/** The rows of the table whose header begins with these cells, by the names of their columns. */
function tableOf(...header: readonly string[]): Row[] {
  const lines = README.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`| ${header.join(' | ')} |`));
  assert.ok(start >= 0, `the README has a table of ${header.join(', ')}`);
  const end = lines.findIndex((line, at) => at > start && !line.startsWith('|'));
  const [names, , ...rows] = lines.slice(start, end).map(cellsOf);
  return rows.map((cells) => {
    assert.equal(cells.length, names!.length, `a row has a cell for each column: ${cells[0]}`);
    return Object.fromEntries(names!.map((name, at) => [name, cells[at]!]));
  });
}

function cellsOf(line: string): string[] {
  return line
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim());
}

/** What stands in backticks. */
function codesIn(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1]!);
}

function sorted(names: Iterable<string>): string[] {
  return [...names].sort();
}

type FieldWithoutDefault = {
  [Field in keyof Config]-?: Record<never, never> extends Pick<Config, Field> ? never : Field;
}[keyof Config];

/** Exactly the fields without a default: the compiler sees to it. */
const REQUIRED: Record<FieldWithoutDefault, unknown> & Config = {
  id: 1,
  storage: new MemoryStorage([1]),
  electionTicks: 10,
  heartbeatTicks: 3,
  random: () => 0,
};

// Every member of a union of names, or of an interface: the compiler sees to it.
const READ_ONLY: Record<FullConfig['readOnly'], true> = { safe: true, lease: true };
const ROLES: Record<Role, true> = {
  follower: true,
  preCandidate: true,
  candidate: true,
  leader: true,
};
const STATES: Record<ProgressState, true> = { probe: true, replicate: true, snapshot: true };
const STORAGE: Record<keyof Storage, true> = {
  initialState: true,
  entries: true,
  term: true,
  firstIndex: true,
  lastIndex: true,
  snapshot: true,
};
const CODES: Record<RaftErrorCode, true> = {
  Compacted: true,
  Unavailable: true,
  SnapshotTemporarilyUnavailable: true,
  SnapshotOutOfDate: true,
  ProposalDropped: true,
  PeerNotFound: true,
  ConfChangeInvalid: true,
  ConfigInvalid: true,
  StorageInvalid: true,
};

test('the table of Config has every field in order, with its default', () => {
  const full = completeConfig(REQUIRED);
  const rows = tableOf('field', 'unit', 'default', 'range', 'meaning');
  assert.deepEqual(
    rows.map(({ field }) => field),
    Object.keys(full).map((name) => `\`${name}\``),
  );
  for (const row of rows) {
    const name = codesIn(row['field']!)[0] as keyof FullConfig;
    assert.equal(row['default']!.replaceAll('_', ''), defaultOf(name, full), name);
    assert.notEqual(row['meaning'], '', name);
  }
});

/** The default of a field, as the README writes it but for the underscores in numbers. */
function defaultOf(name: keyof FullConfig, full: FullConfig): string {
  if (name in REQUIRED) return 'required';
  const value = full[name];
  if (typeof value === 'function') return 'nobody';
  if (typeof value === 'string') return `\`'${value}'\``;
  const another = completeConfig({ ...REQUIRED, appendBytesMax: 7 });
  if (name !== 'appendBytesMax' && another[name] === 7) return '`appendBytesMax`';
  return `\`${value}\``;
}

test('the ranges in the table of Config are those that are taken', () => {
  const full = completeConfig(REQUIRED);
  let tried = 0;
  for (const row of tableOf('field', 'unit', 'default', 'range', 'meaning')) {
    const name = codesIn(row['field']!)[0] as keyof FullConfig;
    const takes = (value: unknown): boolean => isTaken({ ...REQUIRED, [name]: value });
    const least = leastOf(row['range']!);
    if (least !== undefined) {
      assert.deepEqual([takes(least), takes(least - 1)], [true, false], name);
      assert.equal(takes(least + 0.5), !row['range']!.startsWith('whole'), name);
      assert.equal(takes(Infinity), !row['range']!.startsWith('whole'), name);
      tried++;
    } else if (typeof full[name] === 'boolean') {
      assert.equal(row['range'], '`true`, `false`', name);
    } else if (typeof full[name] === 'function') {
      assert.equal(row['range'], 'a function', name);
    }
  }
  assert.equal(tried, 9);
  const [readOnly] = tableOf('field', 'unit').filter(({ field }) => field === '`readOnly`');
  assert.deepEqual(
    codesIn(readOnly!['range']!),
    Object.keys(READ_ONLY).map((value) => `'${value}'`),
  );
});

function leastOf(range: string): number | undefined {
  if (range.endsWith('above `heartbeatTicks`')) return REQUIRED.heartbeatTicks + 1;
  const match = /at least (\d+)$/.exec(range);
  return match === null ? undefined : Number(match[1]);
}

function isTaken(config: Config): boolean {
  try {
    completeConfig(config);
    return true;
  } catch (thrown) {
    assert.ok(isRaftError(thrown, 'ConfigInvalid'));
    return false;
  }
}

test('an entry counts for its data and as many bytes more as the README says', () => {
  const [, more] = /data and (\d+) more \(`entryBytes`\)/.exec(README)!;
  assert.equal(entryBytes({ ...entry(1, 1), data: new Uint8Array(5) }), 5 + Number(more));
});

test('the table of errors has each of them, with what to do', () => {
  const rows = tableOf('error', 'when', 'what to do');
  assert.deepEqual(
    sorted(rows.flatMap(({ error }) => codesIn(error!))),
    sorted([...Object.keys(CODES), RaftAssertionError.name]),
  );
  for (const row of rows) {
    assert.notEqual(row['when'], '', row['error']);
    assert.notEqual(row['what to do'], '', row['error']);
  }
});

test('the table of Storage has each method', () => {
  const methods = tableOf('method', 'asked', 'gives', 'may throw').map(
    ({ method }) => codesIn(method!)[0]!,
  );
  assert.deepEqual(
    sorted(methods.map((method) => method.slice(0, method.indexOf('(')))),
    sorted(Object.keys(STORAGE)),
  );
});

test('the core goes on if a method of Storage throws what its table allows, and only then', () => {
  /** What leads the core to each method that it asks while it runs. */
  const asks: Partial<Record<keyof Storage, (log: RaftLog) => unknown>> = {
    firstIndex: (log) => log.firstIndex,
    lastIndex: (log) => log.lastIndex,
    term: (log) => log.term(2),
    entries: (log) => log.slice(1, 3, Infinity),
    snapshot: (log) => log.snapshot(),
  };
  for (const row of tableOf('method', 'asked', 'gives', 'may throw')) {
    const [call] = codesIn(row['method']!);
    const method = call!.slice(0, call!.indexOf('(')) as keyof Storage;
    const survived = Object.keys(CODES).filter((code) => {
      const storage = new MemoryStorage([1]);
      storage.append(entriesFrom(1, 1, 1));
      const log = new RaftLog(storage, 0, Infinity);
      storage[method] = () => {
        throw new RaftError(code as RaftErrorCode, 'as the test wants it');
      };
      return asks[method] !== undefined && survives(() => asks[method]!(log));
    });
    assert.deepEqual(sorted(survived), sorted(codesIn(row['may throw']!)), method);
  }
});

function survives(ask: () => unknown): boolean {
  try {
    ask();
    return true;
  } catch (thrown) {
    assert.ok(thrown instanceof RaftError);
    return false;
  }
}

test('the tables of the status have each field, and say which call gives it', () => {
  const one = new Single({ voters: [1, 2, 3], preVote: false, checkQuorum: false });
  one.leadAndCommit(2);
  const rows = tableOf('field', 'in', 'meaning');
  const fieldsIn = (where: string): string[] =>
    sorted(rows.filter((row) => row['in'] === where).flatMap(({ field }) => codesIn(field!)));
  const basic = Object.keys(one.node.basicStatus());
  const { progress, ...status } = one.node.status();
  assert.deepEqual(fieldsIn('both'), sorted(basic));
  assert.deepEqual(
    fieldsIn('`status()`'),
    sorted(['progress', ...Object.keys(status).filter((name) => !basic.includes(name))]),
  );
  const peer = tableOf('of a peer', 'meaning');
  assert.deepEqual(
    sorted(peer.flatMap((row) => codesIn(row['of a peer']!))),
    sorted(Object.keys(progress[0]!)),
  );
  const meaningOf = (table: readonly Row[], column: string, field: string): string[] =>
    codesIn(table.find((row) => row[column] === field)!['meaning']!);
  assert.deepEqual(meaningOf(rows, 'field', '`role`'), Object.keys(ROLES));
  assert.deepEqual(meaningOf(peer, 'of a peer', '`state`'), Object.keys(STATES));
});
