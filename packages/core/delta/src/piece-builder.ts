// Folds the pieces of a value back into it. Containers are built in order and appended to, never searched,
// so all pieces together cost what the value has members, and each costs its own size.

import { assert, DEFAULT_LIMITS, DeltabaseError } from '@deltabase/base';
import { ArrayBuilder, ObjectBuilder } from './build.js';
import { namesIn, widthOf } from './child.js';
import type { JsonOptions } from './json.js';
import { depthOf } from './measure.js';
import { nameAt } from './names.js';
import type { Piece } from './pieces.js';
import { arrayIndex, parsePointer, quotePointer, type Tokens } from './pointer.js';
import { isContainer, leavesOf } from './read.js';
import type { ArrayValue, Child, Container, Slot, Value } from './value.js';

/** A container that may still get more, and where it stands in the one before. */
interface Open {
  readonly token: string;
  readonly builder: ObjectBuilder | ArrayBuilder;
}

/** Builds one value from all its pieces in order. */
export class PieceBuilder {
  readonly #depthMax: number;
  /** From the whole value to the container of the latest piece. */
  readonly #open: Open[] = [];
  #scalar: Value | undefined;

  /** A builder that has no piece yet; `depthMax` as for `parseValue`. */
  constructor(options: JsonOptions = {}) {
    this.#depthMax = options.depthMax ?? DEFAULT_LIMITS.jsonDepthMax;
  }

  /** Adds the next piece. Throws INVALID_ARGUMENT if it cannot follow those before; then start anew. */
  add(piece: Piece): void {
    const [pointer, value] = piece;
    const tokens = parsePointer(pointer);
    if (tokens.length + depthOf(value) > this.#depthMax) throw misplaced(pointer, 'too deep');
    if (this.#scalar !== undefined) throw misplaced(pointer, 'behind a scalar');
    if (this.#open.length === 0) {
      this.#begin(piece, tokens);
      return;
    }
    while (!this.#isOpen(tokens)) this.#close();
    if (tokens.length === this.#open.length) this.#enter(tokens.at(-1)!, piece);
    if (tokens.length !== this.#open.length - 1) throw misplaced(pointer, 'in no container');
    this.#append(piece);
  }

  /** The value; the builder is used up. Throws INVALID_ARGUMENT if there was no piece. */
  finish(): Value {
    if (this.#scalar !== undefined) return this.#scalar;
    if (this.#open.length === 0) throw misplaced('', 'missing');
    while (this.#open.length > 1) this.#close();
    return this.#open.pop()!.builder.finish();
  }

  #begin(piece: Piece, tokens: Tokens): void {
    const [pointer, value] = piece;
    if (tokens.length > 0) throw misplaced(pointer, 'before the whole value');
    if (!isContainer(value)) {
      this.#scalar = value;
      return;
    }
    this.#open.push({ token: '', builder: builderOf(value) });
    this.#append(piece);
  }

  /** Whether the innermost open container is at `tokens` or on the way there. */
  #isOpen(tokens: Tokens): boolean {
    const depth = this.#open.length - 1;
    if (depth > tokens.length) return false;
    for (let i = 0; i < depth; i++) if (this.#open[i + 1]!.token !== tokens[i]) return false;
    return true;
  }

  /** Opens a container at `token` of the innermost one. */
  #enter(token: string, piece: Piece): void {
    const [pointer, value] = piece;
    const { builder } = this.#open.at(-1)!;
    const isNext = builder instanceof ArrayBuilder ? arrayIndex(token) === builder.count : true;
    if (!isContainer(value) || !isNext) throw misplaced(pointer, 'out of order');
    this.#open.push({ token, builder: builderOf(value) });
  }

  /** Adds what `piece` holds to the innermost container. */
  #append(piece: Piece): void {
    const [pointer, value] = piece;
    const { builder } = this.#open.at(-1)!;
    const isAlike =
      isContainer(value) && (value.kind === 'array') === builder instanceof ArrayBuilder;
    if (!isAlike) throw misplaced(pointer, 'of another kind');
    for (const leaf of leavesOf(value)) if (widthOf(leaf) > 0) putLeaf(builder, leaf);
  }

  /** Completes the innermost container. */
  #close(): void {
    assert(this.#open.length > 1, 'the whole value stays open');
    const { token, builder } = this.#open.pop()!;
    put(this.#open.at(-1)!.builder, token, builder.finish());
  }
}

function builderOf(whole: Container): ObjectBuilder | ArrayBuilder {
  return whole.kind === 'object' ? new ObjectBuilder() : new ArrayBuilder();
}

function put(builder: ObjectBuilder | ArrayBuilder, name: string, slot: Slot): void {
  if (builder instanceof ArrayBuilder) {
    builder.append(slot);
    return;
  }
  checkOrder(builder, name);
  builder.append(name, slot);
}

/** `leaf` holds something, of the kind of the builder. */
function putLeaf(builder: ObjectBuilder | ArrayBuilder, leaf: ArrayValue | Child): void {
  if (builder instanceof ArrayBuilder) {
    builder.appendLeaf(leaf as ArrayValue);
    return;
  }
  checkOrder(builder, nameAt(namesIn(leaf as Child), 0));
  builder.appendLeaf(leaf as Child);
}

function checkOrder({ last }: ObjectBuilder, name: string): void {
  if (last !== undefined && name <= last) throw misplaced(name, 'out of order');
}

function misplaced(pointer: string, problem: string): DeltabaseError {
  const message = `the piece at ${quotePointer(pointer)} is ${problem}; build from all pieces in order`;
  return new DeltabaseError('INVALID_ARGUMENT', message);
}
