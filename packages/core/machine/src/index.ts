// @deltabase/machine: messages, delta records, entries of a group's log, sessions and manifests. Pure.

export { type Command, DeltasWriter, decodeCommand, encodeActivate } from './command.js';
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
export { type DeltaRecord, decodeRecord, encodeRecord } from './record.js';
export { type Known, Sessions } from './sessions.js';
