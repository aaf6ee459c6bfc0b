// Tables for people: columns as wide as they must be, two spaces between, nothing drawn.

import { stripVTControlCharacters } from 'node:util';

/** A column's head; numbers stand right. */
export interface Column {
  readonly head: string;
  readonly align?: 'right';
}

const GAP = '  ';

/** The lines of a table, each ended by a newline; `paintHead` colors the head. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  paintHead: (text: string) => string = (text) => text,
): string {
  const widths = columns.map(({ head }, at) =>
    Math.max(width(head), ...rows.map((row) => width(row[at] ?? ''))),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => pad(cell, widths[at]!, columns[at]!.align))
      .join(GAP)
      .trimEnd();
  const head = paintHead(line(columns.map((column) => column.head)));
  return [head, ...rows.map(line)].map((text) => `${text}\n`).join('');
}

function pad(cell: string, to: number, align: 'right' | undefined): string {
  const space = ' '.repeat(Math.max(0, to - width(cell)));
  return align === 'right' ? space + cell : cell + space;
}

/** Characters that a terminal shows; colors take no room. */
function width(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}
