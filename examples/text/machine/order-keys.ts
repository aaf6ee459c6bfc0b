// Names that sort as they were put: fractions in base 62 of at least three digits. Between any two there
// is room for more; neighbours that are put one behind the other, as when somebody types, are sixteen
// steps apart and stay short. None but the first three digits ever ends in a zero, so no two are equal.

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const BASE: i32 = 62;
const LENGTH: i32 = 3;
const NUMBERS: i32 = 238_328; // 62 ** 3
const STEP: i32 = 16;

/** Number `place` of `count` keys that are spread over all there are. */
export function spreadKey(place: i32, count: i32): string {
  return shortKey(<i32>((<i64>NUMBERS * (place + 1)) / (count + 1)));
}

/**
 * A key above `low` and below `high`; either may be empty: nothing bounds that side. It is near `low` if
 * `forward`, else near `high`, and has room for `left - 1` more on the other side.
 */
export function keyBetween(low: string, high: string, left: i32, forward: bool): string {
  const from = shortNumber(low);
  const to = high.length == 0 ? NUMBERS : shortNumber(high);
  const gap = to - from;
  if (gap <= 1) return longKey(low, high, gap == 1);
  const step = max(1, min(STEP, gap / (left + 1)));
  return shortKey(forward ? from + step : to - step);
}

/** `low` or what it begins with, and more digits; `open`: nothing bounds them from above. */
function longKey(low: string, high: string, open: bool): string {
  let key = low.substring(0, LENGTH).padEnd(LENGTH, '0');
  let unbounded = open;
  let i = LENGTH;
  while (true) {
    const from = digitAt(low, i);
    const to = unbounded ? BASE : digitAt(high, i);
    if (to - from > 1) return key + DIGITS.charAt((from + to) / 2);
    key += DIGITS.charAt(from);
    if (to > from) unbounded = true;
    i++;
  }
}

function shortKey(number: i32): string {
  return (
    DIGITS.charAt(number / (BASE * BASE)) +
    DIGITS.charAt((number / BASE) % BASE) +
    DIGITS.charAt(number % BASE)
  );
}

function shortNumber(key: string): i32 {
  return (digitAt(key, 0) * BASE + digitAt(key, 1)) * BASE + digitAt(key, 2);
}

function digitAt(key: string, i: i32): i32 {
  if (i >= key.length) return 0;
  const unit = key.charCodeAt(i);
  if (unit <= 0x39) return unit - 0x30;
  return unit <= 0x5a ? unit - 0x41 + 10 : unit - 0x61 + 36;
}
