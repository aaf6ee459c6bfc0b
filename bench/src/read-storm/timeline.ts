// A timeline as an SVG: how much was read of whom, and how long messages took, over the same seconds.

/** One moment of it. */
export interface Moment {
  /** Seconds since it began. */
  readonly at: number;
  /** Reads a second that were answered, by the kind of process that did. */
  readonly leader: number;
  readonly followers: number;
  readonly replicas: number;
  /** The 99th percentile of what messages took, ms; `undefined`: there were none. */
  readonly writeMs: number | undefined;
}

/** Something that happened. */
export interface Mark {
  readonly at: number;
  readonly text: string;
}

const WIDTH = 900;
const HEIGHT = 230;
const LEFT = 70;
const RIGHT = 20;
const TOP = 40;
const GAP = 50;
const PARTS = [
  { name: 'leader', color: '#c0392b' },
  { name: 'followers', color: '#e0a030' },
  { name: 'replicas', color: '#2e7d5b' },
] as const;

export function timelineSvg(
  title: string,
  moments: readonly Moment[],
  marks: readonly Mark[],
): string {
  const seconds = moments.at(-1)?.at ?? 1;
  const x = (at: number): number => LEFT + (at / seconds) * (WIDTH - LEFT - RIGHT);
  const readsMax = niceMax(Math.max(...moments.map(totalOf)));
  const writeMax = niceMax(Math.max(...moments.map(({ writeMs }) => writeMs ?? 0)));
  const lower = TOP + HEIGHT + GAP;
  const readsY = (value: number): number => TOP + HEIGHT - (value / readsMax) * HEIGHT;
  const writesY = (value: number): number => lower + HEIGHT - (value / writeMax) * HEIGHT;
  const height = lower + HEIGHT + 40;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${height}" fill="white"/>`,
    text(LEFT, 20, title, 'font-size="15"'),
    ...axis({ y: readsY, max: readsMax, label: 'reads/s', top: TOP }),
    ...areas(moments, x, readsY),
    ...axis({ y: writesY, max: writeMax, label: 'p99 of messages, ms', top: lower }),
    line(moments, x, writesY),
    ...marks.flatMap(({ at, text: words }) => [
      `<line x1="${x(at)}" x2="${x(at)}" y1="${TOP}" y2="${lower + HEIGHT}" stroke="#555" stroke-dasharray="4 3"/>`,
      text(x(at) + 4, TOP + 12, words, 'fill="#333"'),
    ]),
    ...legend(lower + HEIGHT + 28),
    text(WIDTH - RIGHT, lower + HEIGHT + 28, `${Math.round(seconds)} s`, 'text-anchor="end"'),
    '</svg>',
    '',
  ].join('\n');
}

function totalOf({ leader, followers, replicas }: Moment): number {
  return leader + followers + replicas;
}

/** The next larger number of 1, 2, 5 times a power of ten. */
function niceMax(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((times) => times * power).find((max) => max >= value)!;
}

/** What each kind of process answered, one upon the other. */
function areas(
  moments: readonly Moment[],
  x: (at: number) => number,
  y: (value: number) => number,
): string[] {
  const below = moments.map(() => 0);
  return PARTS.map(({ name, color }) => {
    const bottom = moments.map(({ at }, i) => `${x(at)},${y(below[i]!)}`);
    for (const [i, moment] of moments.entries()) below[i]! += moment[name];
    const top = moments.map(({ at }, i) => `${x(at)},${y(below[i]!)}`);
    return `<polygon points="${[...top, ...bottom.reverse()].join(' ')}" fill="${color}" fill-opacity="0.75"/>`;
  });
}

function line(
  moments: readonly Moment[],
  x: (at: number) => number,
  y: (value: number) => number,
): string {
  const points = moments.flatMap(({ at, writeMs }) =>
    writeMs === undefined ? [] : [`${x(at)},${y(writeMs)}`],
  );
  return `<polyline points="${points.join(' ')}" fill="none" stroke="#1f4e8c" stroke-width="2"/>`;
}

function axis(options: {
  readonly y: (value: number) => number;
  readonly max: number;
  readonly label: string;
  readonly top: number;
}): string[] {
  const { y, max, label, top } = options;
  const lines = [0, max / 2, max].flatMap((value) => [
    `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(value)}" y2="${y(value)}" stroke="#ddd"/>`,
    text(LEFT - 8, y(value) + 4, value.toLocaleString('en-US'), 'text-anchor="end"'),
  ]);
  return [...lines, text(LEFT, top - 6, label, 'fill="#333"')];
}

function legend(y: number): string[] {
  return PARTS.flatMap(({ name, color }, at) => [
    `<rect x="${LEFT + at * 120}" y="${y - 10}" width="12" height="12" fill="${color}" fill-opacity="0.75"/>`,
    text(LEFT + at * 120 + 18, y, name),
  ]);
}

function text(x: number, y: number, words: string, attributes = ''): string {
  return `<text x="${x}" y="${y}" ${attributes}>${escaped(words)}</text>`;
}

function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
