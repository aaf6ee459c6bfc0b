// @deltabase/machine: messages, delta records, entries of a group's log, sessions and manifests. Pure.

export {
  type Command,
  decodeCommand,
  encodeActivate,
  encodeOutcomes,
  outcomeAt,
} from './command.js';
export { DeltasWriter } from './deltas-writer.js';
export { ABI_VERSION, type Manifest, parseManifest } from './manifest.js';
export { type Answer, type Message, messageId, type SessionRef } from './message.js';
export {
  checkChannelName,
  checkDocumentKey,
  checkSpaceName,
  groupOf,
  nameHash,
  SYSTEM_GROUP,
  SYSTEM_SPACE,
} from './names.js';
export {
  decodeOutcome,
  encodeOutcome,
  type FirstAnswer,
  type OutcomeRecord,
} from './outcome.js';
export { COMMITTED } from './packed-patch.js';
export { type DeltaRecord, decodeRecord, encodeRecord } from './record.js';
export {
  decodeHead,
  decodeStep,
  type RecordHead,
  type RecordStep,
  recordAt,
  recordLength,
} from './record-parts.js';
export { type Known, type SessionChange, Sessions } from './sessions.js';
