// What a machine's actions cost, in units of fuel: about one per WebAssembly instruction, about a
// nanosecond. docs/machine-abi.md, "Fuel", is this file for readers.

/** A call; also pays for the first units of the function that is called. */
export const CALL_FUEL = 8;
/** Code that branches can skip is charged on its own from so many units on; less is charged anyway. */
export const STRETCH_FUEL_MIN = 32;
/** Bytes that memory.fill, copy and init process for one unit, as a shift: 8. */
export const BULK_BYTES_SHIFT = 3;
/** Growing the memory by one page: the pages are cleared when they are touched. */
export const PAGE_FUEL = 8_192;
/** Asking for growth at all; a grown instance is thrown away after the message and made anew. */
export const GROW_FUEL = 100_000;
/** Entering a function clears its locals: as many for one unit, as a shift. */
export const LOCALS_SHIFT = 2;

/** Bytes of stack that a frame takes beside its locals and operands: saved registers, spills. */
export const FRAME_BYTES = 64;
/** A function that calls no other of the module is not counted, unless its own frame is larger. */
export const LEAF_FRAME_BYTES_MAX = 4_096;

/** Any call of the host: crossing the border, decoding a pointer, walking it. */
export const HOST_CALL_FUEL = 100;
/** An operation more: applied to the draft, kept, encoded, replicated, folded everywhere. */
export const EMIT_FUEL = 500;
/** A part of its path: a container on the way that is made anew. */
export const EMIT_PART_FUEL = 100;
/** A byte of JSON that is parsed; that is written. */
export const PARSE_BYTE_FUEL = 20;
export const WRITE_BYTE_FUEL = 8;
/** A byte of text that becomes a value; that is only copied. */
export const VALUE_BYTE_FUEL = 4;
export const TEXT_BYTE_FUEL = 1;
/** A byte of a pointer: decoded, split, perhaps unescaped, and every part is a step of the walk. */
export const POINTER_BYTE_FUEL = 16;
/** A key that is listed. */
export const KEY_FUEL = 100;

/** What a message costs beside its own work: being dispatched; its instance being restored. */
export const MESSAGE_FUEL = 1_000;
/** Bytes of memory that are restored for one unit, as a shift: 64. */
export const RESTORE_BYTES_SHIFT = 6;
/** A new instance, for a message that left its own unusable; its start function comes on top. */
export const INSTANCE_FUEL = 150_000;
