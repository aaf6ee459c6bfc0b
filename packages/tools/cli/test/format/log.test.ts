import assert from 'node:assert/strict';
import { test } from 'node:test';
import { entriesTable, entryRow, entryText, logsText } from '../../src/format/log.js';
import { entry, PLAIN, record } from '../support/samples.js';

test('entries are rows that name their documents, the rest of them counted', () => {
  const records = ['a', 'b', 'c', 'd', 'e'].map((key) => record({ key }));
  const rows = [
    entry({ index: 9, kind: 'empty', bytes: 0, records: [], summary: 'a leader took office' }),
    entry({ records }),
    entry({ index: 13, committed: false }),
  ];
  assert.equal(
    entriesTable(
      rows.map((row) => entryRow(row, PLAIN)),
      PLAIN,
    ),
    [
      'INDEX  TERM  KIND     SIZE  TIME                      WHAT\n',
      '    9     3  empty     0 B  -                         a leader took office\n',
      '   12     3  deltas  216 B  2023-11-14 22:13:20.123Z  ' +
        'counter/a@7, counter/b@7, counter/c@7 and 2 more\n',
      '   13     3  deltas  216 B  2023-11-14 22:13:20.123Z  ' +
        'counter/visits@7 (not known to be committed)\n',
    ].join(''),
  );
});

test('an entry shows its term, and the deltas in it with their documents', () => {
  const text = entryText(entry({ committed: false }), PLAIN, 'group 1  ');
  const [head, delta] = text.split('\n');
  assert.equal(head, 'group 1  index 12  term 3  1 delta  not known to be committed');
  assert.equal(delta, 'counter/visits  seq 7  2023-11-14 22:13:20.123Z  add {"by":2}');
});

test('logs say whose they are, and a dash where nobody can know the leader', () => {
  const group = { group: 0, term: 4, firstIndex: 5, lastIndex: 9, commitIndex: 8, flushedIndex: 7 };
  const groups = [
    { ...group, leader: 2 },
    { ...group, group: 1, leader: undefined },
    { ...group, group: 2, leader: 0 },
  ];
  assert.equal(
    logsText({ cluster: 'orders', node: 3, recoveries: [], groups }, PLAIN),
    [
      'node 3 of cluster orders\n\n',
      'GROUP  LEADER  TERM  FIRST  LAST  COMMITTED  FLUSHED\n',
      '    0       2     4      5     9          8        7\n',
      '    1       -     4      5     9          8        7\n',
      '    2       -     4      5     9          8        7\n',
    ].join(''),
  );
});
