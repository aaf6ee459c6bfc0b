// JSON pointers (RFC 6901), made piece by piece. A piece that is data must go through `child`: a name with
// `/` or `~` in it would otherwise lead somewhere else.

/** `pointer` and then the member `name`, whatever characters it has. */
export function child(pointer: string, name: string): string {
  return pointer + '/' + escaped(name);
}

/** `pointer` and then the element at `index`, or, for -1, the place behind the last. */
export function element(pointer: string, index: i32): string {
  return pointer + '/' + (index < 0 ? '-' : index.toString());
}

function escaped(name: string): string {
  for (let i = 0; i < name.length; i++) {
    const unit = name.charCodeAt(i);
    if (unit == TILDE || unit == SLASH) return name.replaceAll('~', '~0').replaceAll('/', '~1');
  }
  return name;
}

const TILDE: i32 = 0x7e;
const SLASH: i32 = 0x2f;
