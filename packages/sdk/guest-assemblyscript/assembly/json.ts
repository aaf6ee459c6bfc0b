// JSON text, for values that are more than a number, a text or a flag.

/** A value as JSON text. */
export class Json {
  /** `text` must be JSON; the host refuses the message otherwise. */
  constructor(private text: string) {}

  static null(): Json {
    return new Json('null');
  }

  toString(): string {
    return this.text;
  }
}

/** An object, made member by member. Names must differ. */
export class JsonObject extends Json {
  private members: string[] = [];

  constructor() {
    super('');
  }

  /** Adds the member `name`: a number, a bool, a string or a Json. */
  set<T>(name: string, value: T): this {
    this.members.push(quote(name) + ':' + textOf<T>(value));
    return this;
  }

  override toString(): string {
    return '{' + this.members.join(',') + '}';
  }
}

/** A list, made element by element. */
export class JsonArray extends Json {
  private elements: string[] = [];

  constructor() {
    super('');
  }

  /** Adds an element: a number, a bool, a string or a Json. */
  add<T>(value: T): this {
    this.elements.push(textOf<T>(value));
    return this;
  }

  override toString(): string {
    return '[' + this.elements.join(',') + ']';
  }
}

/** JSON text of a number, a bool, a string or a Json. */
export function textOf<T>(value: T): string {
  if (isBoolean<T>()) return value ? 'true' : 'false';
  if (isInteger<T>()) return value.toString();
  if (isFloat<T>()) {
    assert(isFinite(<f64>value), 'JSON has no NaN and no infinity');
    return value.toString();
  }
  if (isString<T>()) return quote(changetype<string>(value));
  if (value instanceof Json) return value.toString();
  ERROR('a value is a number, a bool, a string or a Json');
}

/** JSON text of a string. */
export function quote(text: string): string {
  let plain = 0;
  let quoted = '"';
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x20 && unit != 0x22 && unit != 0x5c) continue;
    quoted += text.substring(plain, i) + escapeUnit(unit);
    plain = i + 1;
  }
  return quoted + text.substring(plain) + '"';
}

function escapeUnit(unit: i32): string {
  if (unit == 0x22) return '\\"';
  if (unit == 0x5c) return '\\\\';
  return '\\u00' + hex(unit >> 4) + hex(unit & 15);
}

function hex(digit: i32): string {
  return String.fromCharCode(digit < 10 ? 0x30 + digit : 0x57 + digit);
}
