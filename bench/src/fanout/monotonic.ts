// A clock that all processes of a machine share.

/** Milliseconds of the machine's monotonic clock. */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}
