// Logs and their entries as people read them.

import type { LogEntry, Recovery } from '@deltabase/client';
import { deltaOfRecord, deltaText } from './deltas.js';
import type { Paint } from './paint.js';
import { printable } from './printable.js';
import { recoveredText } from './recovery.js';
import { table } from './table.js';
import { bytes, moment } from './values.js';

/** The logs of a node. */
export interface NodeLogs {
  readonly cluster: string;
  readonly node: number;
  /** The last times that the cluster lost its quorum and was recovered. */
  readonly recoveries: readonly Recovery[];
  /** From the system group 0 on. */
  readonly groups: readonly LogGroup[];
}

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

/** Whose logs they are, and one row for each group. */
export function logsText({ cluster, node, recoveries, groups }: NodeLogs, paint: Paint): string {
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
  const heads = columns.map((head) => ({ head, align: RIGHT }));
  const whose = `node ${paint.bold(String(node))} of cluster ${paint.bold(printable(cluster))}`;
  const recovered = recoveries.map((one) => `${paint.yellow(recoveredText(one))}\n`).join('');
  return `${whose}\n${recovered}\n${table(heads, rows, paint.dim)}`;
}

const ENTRY_COLUMNS = [
  { head: 'INDEX', align: RIGHT },
  { head: 'TERM', align: RIGHT },
  { head: 'KIND' },
  { head: 'SIZE', align: RIGHT },
  { head: 'TIME' },
  { head: 'WHAT' },
];

/** The table of rows that `entryRow` made. */
export function entriesTable(rows: readonly (readonly string[])[], paint: Paint): string {
  return table(ENTRY_COLUMNS, rows, paint.dim);
}

/** An entry as one row. */
export function entryRow(entry: LogEntry, paint: Paint): string[] {
  const what = printable(whatOf(entry));
  return [
    String(entry.index),
    String(entry.term),
    printable(entry.kind),
    bytes(entry.bytes),
    moment(entry.records[0]?.time ?? 0),
    entry.committed ? what : `${what} ${paint.yellow('(not known to be committed)')}`,
  ];
}

/** An entry with all its deltas. */
export function entryText(entry: LogEntry, paint: Paint, title = ''): string {
  const { index, term, summary, committed, records } = entry;
  const state = committed ? '' : `  ${paint.yellow('not known to be committed')}`;
  const what = printable(summary);
  const head = `${title}${paint.bold(`index ${index}`)}  term ${term}  ${what}${state}\n`;
  const deltas = records.map((record) => {
    const name = `${paint.green(printable(`${record.space}/${record.key}`))}  `;
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
