// The Log port on pino: one JSON object a line, on standard output.

import type { Log, LogMembers } from '@deltabase/engine';
import { type DestinationStream, pino } from 'pino';
import type { LogLevel } from './config/server-config.js';

/** A log whose lines all carry `base`, which says who writes. Writes at once, so that nothing is lost when a process ends. */
export function makeLog(
  level: LogLevel,
  base: LogMembers,
  destination: DestinationStream = pino.destination({ dest: 1, sync: true }),
): Log {
  const logger = pino(
    {
      level,
      base,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  return {
    debug: (event, fields = {}) => logger.debug(fields, event),
    info: (event, fields = {}) => logger.info(fields, event),
    warn: (event, fields = {}) => logger.warn(fields, event),
    error: (event, fields = {}) => logger.error(fields, event),
  };
}
