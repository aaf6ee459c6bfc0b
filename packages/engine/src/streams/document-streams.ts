// What a process offers whoever reads documents, be it a node or a replica.

import type { Failure } from '../results.js';
import type { HeadsRequest, HeadsResult } from './heads.js';
import type { OpenRead, ReadRequest, ReadResult } from './reads.js';
import type { Watch, WatchSink } from './watcher.js';
import type { WatchRequest } from './watches.js';

export interface DocumentStreams {
  /** Reads a document. */
  read(request: ReadRequest, answer: (result: ReadResult) => void): OpenRead;
  /** Watches a document; what goes wrong ends the watch through its sink. */
  watch(request: WatchRequest, sink: WatchSink): Watch;
  /** Tells how far documents are, by the word of their leaders. */
  heads(request: HeadsRequest, answer: (result: HeadsResult | Failure) => void): void;
}
