import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Call, Log, LogFields } from '../../src/ports.js';
import { MachineLog } from '../../src/system/machine-log.js';

const CALL = { space: 'list', key: 'a', channel: 'push' } as Call;

function setUp(max: number) {
  const lines: [string, string, LogFields][] = [];
  const at = (level: string) => (event: string, fields: LogFields) =>
    void lines.push([level, event, fields]);
  const log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  const clock = { nowMs: 5 };
  const limits = { machineLogLinesPerSecondMax: max };
  const machineLog = new MachineLog({ log: log as Log, limits, nowMs: () => clock.nowMs });
  return { lines, clock, machineLog };
}

test('a line is logged at its level, with the document that it is about', () => {
  const { lines, machineLog } = setUp(10);
  machineLog.write(CALL, ['debug: a', 'info: b', 'warn: c: d', 'error: ']);
  const fields = (line: string): LogFields => ({ space: 'list', key: 'a', channel: 'push', line });
  assert.deepEqual(lines, [
    ['debug', 'machine-log', fields('a')],
    ['info', 'machine-log', fields('b')],
    ['warn', 'machine-log', fields('c: d')],
    ['error', 'machine-log', fields('')],
  ]);
});

test('lines beyond those of a second are counted, and the count is logged with the next', () => {
  const { lines, clock, machineLog } = setUp(3);
  for (let message = 0; message < 10; message++) machineLog.write(CALL, ['info: x', 'info: y']);
  assert.equal(lines.length, 3);
  clock.nowMs += 999;
  machineLog.write(CALL, ['info: still']);
  assert.equal(lines.length, 3);
  clock.nowMs += 1;
  machineLog.write(CALL, ['info: again']);
  assert.deepEqual(
    lines
      .slice(3)
      .map(([level, event, fields]) => [level, event, fields['lines'] ?? fields['line']]),
    [
      ['warn', 'machine-log-lines-dropped', 18],
      ['info', 'machine-log', 'again'],
    ],
  );
});
