import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogFields } from '@deltabase/engine';
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

/** `Name`, if the type of fields refuses it; else nothing is of this type. */
type Refused<Name extends string> = { readonly [Each in Name]: string } extends LogFields
  ? never
  : Name;
type OfEachLine = 'cluster' | 'node' | 'replica' | 'level' | 'time' | 'msg';

test('an event that says again what each line has is refused by its type', () => {
  // It would not compile if one were let through.
  const refused: { readonly [Name in OfEachLine]: Refused<Name> } = {
    ...{ cluster: 'cluster', node: 'node', replica: 'replica' },
    ...{ level: 'level', time: 'time', msg: 'msg' },
  };
  const { log, lines } = logOf({ cluster: 'c', node: 9 });
  for (const name of Object.keys(refused)) log.info('event', { [name]: 'again' });
  assert.equal(
    lines.length,
    6,
    'what gets here all the same is written, for no log line is worth a node',
  );
});
