// @deltabase/delta: JSON values that share structure, pointers, patches, and the document made of them.
// Pure; no Node, no I/O.

export { applyOperation, applyPatch } from './apply.js';
export { canonicalBytes, canonicalJson } from './canonical.js';
export { composePatches } from './compose.js';
export { diffJson, diffValues, diffWithin } from './diff.js';
export { Document, type Version } from './document.js';
export { Draft, type DraftLimits } from './draft.js';
export { valuesEqual } from './equal.js';
export { applyWithInverse, type Inverted } from './invert.js';
export {
  fromJson,
  type Json,
  type JsonObject,
  type JsonOptions,
  type JsonProblem,
  makeTally,
  type Tally,
  toJson,
} from './json.js';
export { bytesOf, depthOf, hashText } from './measure.js';
export { encodePatch, type Operation, type Patch, patchBytes } from './operation.js';
export { parseValue } from './parse.js';
export { parsePatch } from './parse-patch.js';
export { PieceBuilder } from './piece-builder.js';
export { encodePiece, type Piece, parsePiece, pieces } from './pieces.js';
export { parseTransient, parseWithin } from './plain-json.js';
export { arrayIndex, escapeToken, formatPointer, parsePointer, type Tokens } from './pointer.js';
export { elementOf, elementsOf, getAt, getIn, keysAfter, memberOf, membersOf } from './read.js';
export {
  type ArrayValue,
  count,
  isArray,
  isObject,
  kind,
  type ObjectValue,
  type Value,
  type ValueKind,
} from './value.js';
export { filterOf, type ViewFilter, viewOf } from './view.js';
export { ViewIndex } from './view-index.js';
