// The host functions of the guest ABI, version 1, as they are. The rest of the SDK is made of them.

// @ts-expect-error: decorator
@external('deltabase', 'read')
export declare function read(root: i32, pointer: usize, length: i32): i32;

// @ts-expect-error: decorator
@external('deltabase', 'take')
export declare function take(to: usize): void;

// @ts-expect-error: decorator
@external('deltabase', 'read_text')
export declare function readText(root: i32, pointer: usize, length: i32): i32;

// @ts-expect-error: decorator
@external('deltabase', 'read_number')
export declare function readNumber(root: i32, pointer: usize, length: i32): f64;

// @ts-expect-error: decorator
@external('deltabase', 'read_kind')
export declare function readKind(root: i32, pointer: usize, length: i32): i32;

// @ts-expect-error: decorator
@external('deltabase', 'read_count')
export declare function readCount(root: i32, pointer: usize, length: i32): i32;

// @ts-expect-error: decorator
@external('deltabase', 'read_keys')
export declare function readKeys(
  root: i32,
  pointer: usize,
  length: i32,
  after: usize,
  afterLength: i32,
  max: i32,
): i32;

// @ts-expect-error: decorator
@external('deltabase', 'context')
export declare function context(field: i32): i32;

// @ts-expect-error: decorator
@external('deltabase', 'emit')
export declare function emit(
  operation: i32,
  path: usize,
  pathLength: i32,
  value: usize,
  valueLength: i32,
): void;

// @ts-expect-error: decorator
@external('deltabase', 'emit_text')
export declare function emitText(
  operation: i32,
  path: usize,
  pathLength: i32,
  text: usize,
  textLength: i32,
): void;

// @ts-expect-error: decorator
@external('deltabase', 'emit_number')
export declare function emitNumber(
  operation: i32,
  path: usize,
  pathLength: i32,
  value: f64,
): void;

// @ts-expect-error: decorator
@external('deltabase', 'reply')
export declare function reply(json: usize, length: i32): void;

// @ts-expect-error: decorator
@external('deltabase', 'reply_text')
export declare function replyText(text: usize, length: i32): void;

// @ts-expect-error: decorator
@external('deltabase', 'reply_number')
export declare function replyNumber(value: f64): void;

// @ts-expect-error: decorator
@external('deltabase', 'reject')
export declare function reject(reason: usize, length: i32): void;

// @ts-expect-error: decorator
@external('deltabase', 'now')
export declare function now(): f64;

// @ts-expect-error: decorator
@external('deltabase', 'random')
export declare function random(): i32;

// @ts-expect-error: decorator
@external('deltabase', 'log')
export declare function log(level: i32, text: usize, length: i32): void;
