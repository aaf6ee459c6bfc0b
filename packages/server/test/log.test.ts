import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeLog } from '../src/log.js';

/** The lines of a log as they are written. */
function logOf(base: { readonly cluster: string; readonly node: number }) {
  const lines: string[] = [];
  const log = makeLog('info', base, { write: (line: string) => void lines.push(line) });
  return { log, lines };
}

test('a line says who writes, what happened and when, each once', () => {
  const { log, lines } = logOf({ cluster: 'c', node: 9 });
  log.warn('waits-to-join', { peer: 3, reason: 'because' });
  assert.match(
    lines[0]!,
    /^\{"level":"warn","time":"[^"]+","cluster":"c","node":9,"peer":3,"reason":"because","msg":"waits-to-join"\}\n$/,
  );
});

test('an event that says again what each line has is refused by its type', () => {
  const { log, lines } = logOf({ cluster: 'c', node: 9 });
  // @ts-expect-error Each line has it.
  log.info('event', { cluster: 'd' });
  // @ts-expect-error Each line has it.
  log.info('event', { node: 8 });
  // @ts-expect-error Each line of a replica has it.
  log.info('event', { replica: 'r' });
  // @ts-expect-error Each line has it.
  log.info('event', { level: 'low' });
  // @ts-expect-error Each line has it.
  log.info('event', { time: 1 });
  // @ts-expect-error Each line has it.
  log.info('event', { msg: 'other' });
  assert.equal(
    lines.length,
    6,
    'what gets here all the same is written, for no log line is worth a node',
  );
});
