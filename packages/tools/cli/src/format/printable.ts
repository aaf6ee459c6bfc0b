// Text of others on a terminal: what would move the cursor, change colors or turn the line around is shown as JSON
// escapes it, so that no document, key or handler can paint over what this program says. In JSON that changes no value.

/** Control characters (C0, DEL, C1), line separators, marks of direction, and halves of surrogate pairs. */
const ACTIVE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for.
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** `text` with escapes for what a terminal would act on, line ends included. */
export function printable(text: string): string {
  return text.replaceAll(ACTIVE, escapeOf);
}

/** `value` as JSON over several lines, for people. */
export function printableJson(value: unknown): string {
  const text = JSON.stringify(value, undefined, 2);
  return text.replaceAll(ACTIVE, (unit) => (unit === '\n' ? unit : escapeOf(unit)));
}

/** `value` as JSON in one line, with its end, for programs: all that `--json` prints is made here. */
export function jsonLine(value: unknown): string {
  return `${printable(JSON.stringify(value))}\n`;
}

function escapeOf(unit: string): string {
  const short = JSON.stringify(unit).slice(1, -1);
  if (short !== unit) return short;
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
