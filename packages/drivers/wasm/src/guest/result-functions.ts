// Host functions that end in the answer to the sender or in the log, and the two sources of a message's
// own time and chance.

import { bytesOf, canonicalBytes, parseValue, type Value } from '@deltabase/delta';
import { LOG_LEVELS } from '../abi/abi.js';
import {
  HOST_CALL_FUEL,
  PARSE_BYTE_FUEL,
  TEXT_BYTE_FUEL,
  VALUE_BYTE_FUEL,
} from '../meter/costs.js';
import type { Activation } from './activation.js';
import { finite } from './emit-functions.js';
import { badOutput, Fault } from './fault.js';

/** The remaining host functions. */
export function resultFunctions(active: Activation) {
  const { limits } = active;
  const jsonOptions = { depthMax: limits.jsonDepthMax };

  /** Checks the size of a reply before it is decoded. */
  function admit(length: number, byteFuel: number): void {
    if (length > limits.replyBytesMax) throw replyTooLarge(length);
    active.spend(HOST_CALL_FUEL + length * byteFuel);
  }

  function keep(value: Value): void {
    const length = bytesOf(value);
    if (length > limits.replyBytesMax) throw replyTooLarge(length);
    active.reply = canonicalBytes(value);
  }

  function replyTooLarge(length: number): Fault {
    const max = limits.replyBytesMax;
    return new Fault('OUTPUT_TOO_LARGE', `a reply of ${length} bytes, at most ${max} may be`);
  }

  return {
    reply(at: number, length: number): void {
      admit(length >>> 0, PARSE_BYTE_FUEL);
      requireMessage(active);
      keep(parseValue(active.text(at, length, 'the reply'), jsonOptions));
    },

    reply_text(at: number, length: number): void {
      admit(length >>> 0, VALUE_BYTE_FUEL);
      requireMessage(active);
      keep(active.text(at, length, 'the reply'));
    },

    reply_number(value: number): void {
      admit(0, 0);
      requireMessage(active);
      keep(finite(value));
    },

    reject(at: number, length: number): never {
      active.spend(HOST_CALL_FUEL);
      requireMessage(active);
      throw new Fault(
        'REJECTED',
        active.textCut(at, length, limits.rejectionBytesMax, 'the reason'),
      );
    },

    now(): number {
      active.spend(HOST_CALL_FUEL);
      return active.call.time;
    },

    random(): number {
      active.spend(HOST_CALL_FUEL);
      return active.random();
    },

    log(level: number, at: number, length: number): void {
      const kept = Math.min(length >>> 0, limits.logLineBytesMax);
      active.spend(HOST_CALL_FUEL + kept * TEXT_BYTE_FUEL);
      const name = LOG_LEVELS[level];
      if (name === undefined) throw badOutput(`level ${level} is not one of 0 to 3`);
      if (active.logs.length >= limits.logLinesPerMessageMax) return;
      const line = active.textCut(at, length, limits.logLineBytesMax, 'a log line');
      active.logs.push(`${name}: ${line}`);
    },
  };
}

/** The start function has nobody to answer. */
function requireMessage(active: Activation): void {
  void active.call;
}
