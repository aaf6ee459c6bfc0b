// The message that is being run: what it reads, what it gave so far, and the only door to the guest's
// memory. There is one activation for each host, used by one message after the other (OneAtATime). Every
// address and length is checked here before a byte is touched (LogicCannotHurtTheHost).

import { assert, decodeUtf8, type Limits, makePrng, type Prng } from '@deltabase/base';
import type { Draft, Value } from '@deltabase/delta';
import type { Call } from '@deltabase/engine';
import { Root } from '../abi/abi.js';
import { BULK_BYTES_SHIFT, POINTER_BYTE_FUEL } from '../meter/costs.js';
import type { WasmMemory } from '../webassembly.js';
import { badOutput, Fault } from './fault.js';

/** What an activation needs of the instance that it runs in. */
export interface Guest {
  readonly memory: WasmMemory;
  /** The memory's bytes, as long as it has not grown. */
  readonly bytes: Uint8Array;
  /** Charges fuel; traps when there is none left. */
  charge(units: number): void;
}

/** Fuel that host functions gather before they charge it: a call into the guest costs more than an addition. */
const DEBT_MAX = 20_000;
/** More than any message has: what the guest's counter can subtract at once. */
const FUEL_MAX = 2 ** 31 - 1;
const NOTHING = new Uint8Array(0);

/** One message at a time, between `begin` and `end`. */
export class Activation {
  readonly limits: Limits;
  readonly logs: string[] = [];
  /** Canonical JSON of the reply so far. */
  reply: Uint8Array | undefined;
  #guest: Guest | undefined;
  #bytes: Uint8Array = NOTHING;
  #call: Call | undefined;
  #draft: Draft | undefined;
  #prng: Prng | undefined;
  #staged: Uint8Array = NOTHING;
  #stagedLength = 0;
  #debt = 0;

  constructor(limits: Limits) {
    this.limits = limits;
  }

  /** Begins to run in `guest`; without a message while the guest's start function runs. */
  begin(guest: Guest, call?: Call, draft?: Draft): void {
    assert(this.#guest === undefined, 'the guest runs one message at a time');
    this.#guest = guest;
    this.#bytes = guest.bytes;
    this.#call = call;
    this.#draft = draft;
    this.logs.length = 0;
  }

  /** Forgets everything about the message. */
  end(): void {
    this.#guest = undefined;
    this.#bytes = NOTHING;
    this.#call = undefined;
    this.#draft = undefined;
    this.#prng = undefined;
    this.#staged = NOTHING;
    this.#stagedLength = 0;
    this.#debt = 0;
    this.reply = undefined;
  }

  /** The message. Refuses to go on while the start function runs: there is none. */
  get call(): Call {
    if (this.#call === undefined) throw noMessage();
    return this.#call;
  }

  get draft(): Draft {
    if (this.#draft === undefined) throw noMessage();
    return this.#draft;
  }

  /** The value that `root` stands for. */
  root(root: number): Value {
    if (root === Root.state) return this.draft.root;
    if (root === Root.message) return this.call.payload;
    throw badOutput(`root ${root} is neither 0 (state) nor 1 (message)`);
  }

  /** The next 32 bits of the message's own generator. */
  random(): number {
    this.#prng ??= makePrng(this.call.seed);
    return this.#prng.next();
  }

  /** Adds to what the message costs. Throws what the guest's trap is when fuel runs out. */
  spend(units: number): void {
    this.#debt += units;
    if (this.#debt < DEBT_MAX) return;
    const debt = Math.min(this.#debt, FUEL_MAX);
    this.#debt = 0;
    this.#guest!.charge(debt);
  }

  /** Units that were spent and not charged. */
  get debt(): number {
    return this.#debt;
  }

  /** UTF-8 text of the guest. `what` names it where it is at fault. */
  text(address: number, length: number, what: string): string {
    const start = this.#range(address, length);
    const text = decodeUtf8(this.#bytes, start, start + (length >>> 0));
    if (text === undefined) throw badOutput(`${what} is not well-formed UTF-8`);
    return text;
  }

  /** At most `max` bytes of text of the guest; the rest is cut off between two characters. */
  textCut(address: number, length: number, max: number, what: string): string {
    const start = this.#range(address, length);
    let end = start + (length >>> 0);
    if (end - start > max) {
      end = start + max;
      // A continuation byte behind the cut: its character began before.
      while (end > start && (this.#bytes[end]! & 0xc0) === 0x80) end--;
    }
    return this.text(start, end - start, what);
  }

  /** A JSON pointer of the guest. */
  pointer(address: number, length: number): string {
    const max = this.limits.pointerBytesMax;
    if (length >>> 0 > max) {
      throw badOutput(`a pointer of ${length >>> 0} bytes, at most ${max} may be`);
    }
    this.spend((length >>> 0) * POINTER_BYTE_FUEL);
    return this.text(address, length, 'a pointer');
  }

  /** Keeps `bytes[0, length)` for the guest to take; returns their number. */
  stage(bytes: Uint8Array, length: number): number {
    this.#staged = bytes;
    this.#stagedLength = length;
    return length;
  }

  /** Copies what is staged to `address`. */
  take(address: number): void {
    const length = this.#stagedLength;
    const start = this.#range(address, length);
    if (length === 0) return;
    this.spend(length >>> BULK_BYTES_SHIFT);
    if (length === this.#staged.length) this.#bytes.set(this.#staged, start);
    else this.#bytes.set(this.#staged.subarray(0, length), start);
  }

  /** Where `[address, address + length)` begins, both taken as unsigned; it lies within the memory. */
  #range(address: number, length: number): number {
    const start = address >>> 0;
    const size = length >>> 0;
    // A buffer that the guest grew is detached: its view is empty and nothing fits in it.
    if (start + size > this.#bytes.length) this.#refresh(start, size);
    return start;
  }

  #refresh(start: number, size: number): void {
    this.#bytes = new Uint8Array(this.#guest!.memory.buffer);
    if (start + size <= this.#bytes.length) return;
    throw badOutput(
      `${size} bytes at address ${start} do not lie within the memory of ${this.#bytes.length} bytes`,
    );
  }
}

function noMessage(): Fault {
  return new Fault('MODULE_INVALID', 'it calls a host function that needs a message');
}
