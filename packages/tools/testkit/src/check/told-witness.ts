// Holds what nodes tell each other against their disks at that moment: who grants a vote, asks for one or acknowledges
// entries has them on stable storage first (DurableBeforeTold, docs/raft.md).

import assert from 'node:assert/strict';
import { type Lane, type NodeId, raftMessagesOf } from '@deltabase/engine';
import type { Message } from 'raft-ts';
import type { StoredLog, StoredLogs } from './stored-logs.js';

export class ToldWitness {
  readonly #logs: StoredLogs;
  /** Terms of the entries that leaders sent, by group, the leader's term and index. */
  readonly #sent = new Map<string, number>();

  constructor(logs: StoredLogs) {
    this.#logs = logs;
  }

  /** A node sends a frame. */
  sent(from: NodeId, to: NodeId, lane: Lane, frame: Uint8Array): void {
    if (lane !== 'urgent') return;
    for (const { group, message } of raftMessagesOf(frame, { from, to })) {
      this.told(group, message);
    }
  }

  /** A node tells another one something of a group. */
  told(group: number, message: Message): void {
    const { from, term } = message;
    if (message.type === 'append') {
      for (const entry of message.entries)
        this.#sent.set(placeOf(group, term, entry.index), entry.term);
    }
    const log = this.#logs.log(from, group);
    const problem = problemOf(message, log) ?? this.#otherEntry(group, message, log);
    assert.ok(
      problem === undefined,
      `node ${from} group ${group} tells ${JSON.stringify(message)}, but ${problem}`,
    );
  }

  /** What is acknowledged is the leader's entry, not another one that stood in its place before. */
  #otherEntry(group: number, message: Message, log: StoredLog): string | undefined {
    if (message.type !== 'appendResponse' || message.reject) return undefined;
    const { term, index } = message;
    const sent = this.#sent.get(placeOf(group, term, index));
    const there = log.entries.get(index);
    if (sent === undefined || there === undefined || log.hardState.term > term) return undefined;
    return there.term === sent ? undefined : `its disk has an entry of term ${there.term} there`;
  }
}

function placeOf(group: number, term: number, index: number): string {
  return `${group} ${term} ${index}`;
}

/** What of a message is not durable; `undefined`: all of it is. */
function problemOf(message: Message, log: StoredLog): string | undefined {
  const { type, from, to, term } = message;
  const isPromise =
    type === 'vote' || ((type === 'voteResponse' || type === 'appendResponse') && !message.reject);
  if (!isPromise) return undefined;
  const { hardState } = log;
  if (hardState.term < term) return `its disk is in term ${hardState.term}`;
  // It has moved on: what it promised in an earlier term is void.
  if (hardState.term > term) return undefined;
  if (type === 'appendResponse') {
    return log.reaches(message.index) ? undefined : 'the entry is not on its disk';
  }
  const candidate = type === 'vote' ? from : to;
  return hardState.vote === candidate ? undefined : `its disk votes for ${hardState.vote}`;
}
