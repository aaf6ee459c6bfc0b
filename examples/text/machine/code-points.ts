// Positions count Unicode code points; strings of AssemblyScript count UTF-16 units.

/** The number of code points in `text`. */
export function codePoints(text: string): i32 {
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    if ((text.charCodeAt(i) & 0xfc00) != 0xdc00) count++;
  }
  return count;
}

/** The unit at which code point number `count` begins, counted from unit `start`. */
export function unitAt(text: string, count: i32, start: i32 = 0): i32 {
  let unit = start;
  for (let left = count; left > 0; left--) {
    unit += (text.charCodeAt(unit) & 0xfc00) == 0xd800 ? 2 : 1;
  }
  return unit;
}

/** `text` in as few pieces as possible of at most `most` code points, all about as long. */
export function pieces(text: string, most: i32): string[] {
  const total = codePoints(text);
  const count = (total + most - 1) / most;
  const list: string[] = [];
  let start = 0;
  for (let i = 0; i < count; i++) {
    const size = (total * (i + 1)) / count - (total * i) / count;
    const end = unitAt(text, size, start);
    list.push(text.substring(start, end));
    start = end;
  }
  return list;
}
