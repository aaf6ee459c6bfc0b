// A big value cut into pieces, for snapshots and streams: each is small, plain, and means something by
// itself. They are cut from a root, so the document may change while they are sent (StateIsFold: they are
// the state at one seq). Order is that of the canonical text; PieceBuilder folds them back.

import { assert, DEFAULT_LIMITS, DeltabaseError } from '@deltabase/base';
import { arrayLeaf } from './array-node.js';
import { ArrayBuilder, ObjectBuilder } from './build.js';
import { canonicalBytes } from './canonical.js';
import { heldIn, itemsIn, nameIn, widthOf } from './child.js';
import type { JsonOptions } from './json.js';
import { bytesOf, makeMeasure, measureMember, measureSlot, slotOf } from './measure.js';
import { parseValue } from './parse.js';
import { escapeToken, tokensOf } from './pointer.js';
import { elementOf, isContainer, leavesOf } from './read.js';
import {
  type ArrayValue,
  type Child,
  type Container,
  isArray,
  type Slot,
  type Value,
} from './value.js';

/**
 * Means: add the members or elements of the container `value` to the one at `pointer`, which is empty if
 * this is its first piece. Only the piece of a whole document that is a scalar holds a scalar.
 */
export type Piece = readonly [pointer: string, value: Value];

/**
 * The pieces of `value`, in order; at least one. `encodePiece` makes at most `bytesMax` bytes of each,
 * unless one scalar, name or pointer alone takes more: strings are never cut. Each costs its own size.
 */
export function* pieces(value: Value, bytesMax: number): Generator<Piece, void, void> {
  assert(bytesMax > 0, 'a piece has room for something');
  if (isContainer(value)) yield* piecesOf(value, '', bytesMax);
  else yield ['', value];
}

/** `piece` as canonical JSON, UTF-8: an array of the pointer and the value. */
export function encodePiece(piece: Piece): Uint8Array {
  return canonicalBytes(arrayLeaf([slotOf(piece[0]), slotOf(piece[1])]));
}

/** The piece that `encodePiece` made `bytes` of; throws INVALID_ARGUMENT for anything else. */
export function parsePiece(bytes: Uint8Array, options: JsonOptions = {}): Piece {
  const depthMax = (options.depthMax ?? DEFAULT_LIMITS.jsonDepthMax) + 1;
  const pair = parseValue(bytes, { depthMax });
  if (isArray(pair) && pair.count === 2) {
    const pointer = elementOf(pair, 0);
    if (typeof pointer === 'string' && tokensOf(pointer) !== undefined) {
      return [pointer, elementOf(pair, 1)!];
    }
  }
  throw new DeltabaseError('INVALID_ARGUMENT', 'a piece is an array of a JSON pointer and a value');
}

const SCRATCH = makeMeasure();

/** The pieces of a container, one of itself at least. */
function* piecesOf(
  container: Container,
  pointer: string,
  bytesMax: number,
): Generator<Piece, void, void> {
  // Brackets and comma of the pair, brackets of the part of the container.
  const room = bytesMax - bytesOf(pointer) - 5;
  if (container.bytes <= room) {
    yield [pointer, container];
    return;
  }
  let part = new Part(container);
  let isFirst = true;
  let index = 0;
  for (const leaf of leavesOf(container)) {
    const { bytes: leafBytes } = heldIn(leaf);
    if (part.bytes + leafBytes <= room) {
      part.appendLeaf(leaf, leafBytes);
      index += widthOf(leaf);
      continue;
    }
    for (const [i, slot] of itemsIn(leaf).entries()) {
      const name = nameIn(leaf, i);
      const bytes = partBytes(name, slot);
      const isCut = bytes > room && isContainer(slot) && slot.count > 0;
      if (isCut || part.bytes + bytes > room) {
        // Even if it is empty, the first part says which kind of container has what follows inside.
        if (!part.isEmpty || (isFirst && isCut)) {
          yield [pointer, part.finish()];
          isFirst = false;
          part = new Part(container);
        }
      }
      if (isCut) {
        const token = name === undefined ? String(index) : escapeToken(name);
        yield* piecesOf(slot, `${pointer}/${token}`, bytesMax);
      } else {
        part.append(name, slot, bytes);
      }
      index++;
    }
  }
  if (isFirst || !part.isEmpty) yield [pointer, part.finish()];
}

function partBytes(name: string | undefined, slot: Slot): number {
  if (name !== undefined) {
    measureMember(name, slot, SCRATCH);
    return SCRATCH.bytes;
  }
  measureSlot(slot, SCRATCH);
  return SCRATCH.bytes + 1;
}

/** A part of a container, as one piece has it. */
class Part {
  readonly #object: ObjectBuilder | undefined;
  readonly #array: ArrayBuilder | undefined;
  #bytes = 0;

  constructor(whole: Container) {
    if (whole.kind === 'object') this.#object = new ObjectBuilder();
    else this.#array = new ArrayBuilder();
  }

  /** Bytes of what was added, each with one separator. */
  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  /** Adds a member, or an element, which has no name. */
  append(name: string | undefined, slot: Slot, bytes: number): void {
    if (name === undefined) this.#array?.append(slot);
    else this.#object?.append(name, slot);
    this.#bytes += bytes;
  }

  appendLeaf(leaf: ArrayValue | Child, bytes: number): void {
    if (typeof leaf === 'string' || leaf.kind === 'object') this.#object?.appendLeaf(leaf);
    else this.#array?.appendLeaf(leaf);
    this.#bytes += bytes;
  }

  finish(): Container {
    const whole = this.#object?.finish() ?? this.#array?.finish();
    assert(whole !== undefined, 'a part is of an object or of an array');
    return whole;
  }
}
