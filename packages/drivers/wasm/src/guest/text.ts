// Text on its way to the guest: encoded into a scratch that is kept, unless it is long.

import { encodeUtf8, encodeUtf8Into } from '@deltabase/base';
import { TEXT_BYTE_FUEL } from '../meter/costs.js';
import type { Activation } from './activation.js';

const SCRATCH = new Uint8Array(3 * 1024);
/** Shorter texts are written unit by unit, which is faster than a call of the encoder. */
const SHORT_UNITS_MAX = 24;

/** Stages the UTF-8 of `text`; returns its number of bytes. */
export function stageText(active: Activation, text: string): number {
  active.spend(text.length * TEXT_BYTE_FUEL);
  if (text.length * 3 > SCRATCH.length) {
    const bytes = encodeUtf8(text);
    return active.stage(bytes, bytes.length);
  }
  return active.stage(SCRATCH, writeText(text));
}

function writeText(text: string): number {
  if (text.length > SHORT_UNITS_MAX) return encodeUtf8Into(text, SCRATCH);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x80) return encodeUtf8Into(text, SCRATCH);
    SCRATCH[i] = unit;
  }
  return text.length;
}
