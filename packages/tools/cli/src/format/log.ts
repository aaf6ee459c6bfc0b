// Logs and their entries as people read them.

import type { LogEntry } from '@deltabase/client';
import { deltaOfRecord, deltaText } from './deltas.js';
import type { Paint } from './paint.js';
import { table } from './table.js';
import { bytes, moment } from './values.js';

/** The log of a group. */
export interface LogGroup {
  readonly group: number;
  readonly term: number;
  /** 0: unknown; `undefined` where it cannot be known. */
  readonly leader: number | undefined;
  readonly firstIndex: number;
  readonly lastIndex: number;
  readonly commitIndex: number;
  readonly flushedIndex: number;
}

const RIGHT = 'right' as const;
/** Documents named in a row of a table; the rest are counted. */
const NAMED_MAX = 3;

/** One row for each group. */
export function groupsTable(groups: readonly LogGroup[], paint: Paint): string {
  const columns = ['GROUP', 'LEADER', 'TERM', 'FIRST', 'LAST', 'COMMITTED', 'FLUSHED'];
  const rows = groups.map((one) => [
    String(one.group),
    one.leader ? String(one.leader) : '-',
    String(one.term),
    String(one.firstIndex),
    String(one.lastIndex),
    String(one.commitIndex),
    String(one.flushedIndex),
  ]);
  return table(
    columns.map((head) => ({ head, align: RIGHT })),
    rows,
    paint.dim,
  );
}

/** One row for each entry. */
export function entriesTable(entries: readonly LogEntry[], paint: Paint): string {
  const columns = [
    { head: 'INDEX', align: RIGHT },
    { head: 'TERM', align: RIGHT },
    { head: 'KIND' },
    { head: 'SIZE', align: RIGHT },
    { head: 'TIME (UTC)' },
    { head: 'WHAT' },
  ];
  const rows = entries.map((entry) => [
    String(entry.index),
    String(entry.term),
    entry.kind,
    bytes(entry.bytes),
    moment(entry.records[0]?.time ?? 0),
    entry.committed ? whatOf(entry) : `${whatOf(entry)} ${paint.yellow('(not committed)')}`,
  ]);
  return table(columns, rows, paint.dim);
}

/** An entry with all its deltas. */
export function entryText(entry: LogEntry, paint: Paint, title = ''): string {
  const { index, term, summary, committed, records } = entry;
  const state = committed ? '' : `  ${paint.yellow('not committed')}`;
  const head = `${title}${paint.bold(`index ${index}`)}  term ${term}  ${summary}${state}\n`;
  const deltas = records.map((record) => {
    const name = `${paint.green(`${record.space}/${record.key}`)}  `;
    return deltaText(deltaOfRecord(record), paint, name);
  });
  return [head, ...deltas].join('');
}

function whatOf({ summary, records }: LogEntry): string {
  if (records.length === 0) return summary;
  const names = records.map(({ space, key, seq }) => `${space}/${key}@${seq}`);
  const more = names.length > NAMED_MAX ? ` and ${names.length - NAMED_MAX} more` : '';
  return names.slice(0, NAMED_MAX).join(', ') + more;
}
