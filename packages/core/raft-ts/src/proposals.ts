// New entries at the leader (Raft §5.3): which are taken, and what is refused (contract 12, pitfall 19).

import { assert } from './assert.js';
import { changeConf } from './changer.js';
import { decodeConfChange } from './conf-change.js';
import { isRaftError, RaftError } from './errors.js';
import { acknowledge } from './following.js';
import type { ProposedEntry } from './message.js';
import type { Replica } from './replica.js';
import { broadcastAppend } from './sending.js';
import { type Entry, type EntryType, NONE } from './types.js';

const NO_DATA = new Uint8Array(0);

/** Proposes at whatever role the replica has. Throws RaftError ProposalDropped; nothing was taken then. */
export function propose(replica: Replica, proposed: readonly ProposedEntry[]): void {
  if (replica.role === 'leader') proposeAsLeader(replica, proposed);
  else forward(replica, proposed);
}

/** Why a leader takes nothing now; `undefined` if it takes `bytes` of data. */
export function refusal(replica: Replica, bytes: number): string | undefined {
  if (replica.tracker.progress(replica.id) === undefined) return 'the leader was removed';
  if (replica.leadTransferee !== NONE) return `leadership moves to ${replica.leadTransferee}`;
  const { uncommittedBytes, config } = replica;
  // An empty queue takes any entry, or one larger than the limit could never pass.
  if (uncommittedBytes > 0 && bytes > 0 && uncommittedBytes + bytes > config.uncommittedBytesMax) {
    return 'too many bytes wait to be committed';
  }
  return undefined;
}

/** Appends the leader's own entries and has them counted once they are durable (pitfalls 1 and 26). */
export function appendOwn(replica: Replica, proposed: readonly ProposedEntry[]): void {
  const { log, term } = replica;
  const first = log.lastIndex + 1;
  const entries: Entry[] = proposed.map(({ type, data }, offset) => ({
    term,
    index: first + offset,
    type,
    data,
  }));
  log.append(entries);
  replica.uncommittedBytes += dataBytes(entries);
  acknowledge(replica, replica.id, log.lastIndex);
}

/** Entries were applied: the bytes of those that this leader made make room for new ones. */
export function releaseBytes(replica: Replica, entries: readonly Entry[]): void {
  if (replica.role !== 'leader') return;
  replica.uncommittedBytes -= dataBytes(entries.filter(({ term }) => term === replica.term));
  assert(replica.uncommittedBytes >= 0, 'no more bytes are released than were taken');
}

function proposeAsLeader(replica: Replica, proposed: readonly ProposedEntry[]): void {
  const why = refusal(replica, dataBytes(proposed));
  if (why !== undefined) throw new RaftError('ProposalDropped', why);
  appendOwn(replica, admitConfChanges(replica, proposed));
  broadcastAppend(replica);
}

/** OneChangeAtATime (thesis §4.1), and one that can be made: others become empty entries. */
function admitConfChanges(
  replica: Replica,
  proposed: readonly ProposedEntry[],
): readonly ProposedEntry[] {
  if (!proposed.some(isConfChange)) return proposed;
  return proposed.map((entry, offset) => {
    if (!isConfChange(entry)) return entry;
    const { disableConfChangeValidation } = replica.config;
    const why = disableConfChangeValidation ? undefined : confChangeRefusal(replica, entry.data);
    if (why !== undefined) {
      replica.trace(`ignores a configuration change: ${why}`);
      return { type: 'normal' as const, data: NO_DATA };
    }
    replica.pendingConfIndex = replica.log.lastIndex + 1 + offset;
    return entry;
  });
}

function confChangeRefusal(replica: Replica, data: Uint8Array): string | undefined {
  const { pendingConfIndex, log, tracker } = replica;
  if (pendingConfIndex > log.applied) return `the one at ${pendingConfIndex} is not applied yet`;
  try {
    // Nothing is pending, so it will be applied to the present configuration.
    changeConf(tracker.conf, decodeConfChange(data));
    return undefined;
  } catch (thrown) {
    if (isRaftError(thrown, 'ConfChangeInvalid')) return thrown.message;
    throw thrown;
  }
}

function forward(replica: Replica, entries: readonly ProposedEntry[]): void {
  const { id, lead, role, config } = replica;
  if (lead === NONE) throw new RaftError('ProposalDropped', `no leader is known to this ${role}`);
  if (config.disableProposalForwarding) {
    throw new RaftError('ProposalDropped', `node ${lead} leads, and proposals are not passed on`);
  }
  replica.send({ type: 'propose', from: id, to: lead, term: 0, entries });
}

function isConfChange(entry: { readonly type: EntryType }): boolean {
  return entry.type === 'confChange';
}

function dataBytes(entries: readonly { readonly data: Uint8Array }[]): number {
  let bytes = 0;
  for (const { data } of entries) bytes += data.length;
  return bytes;
}
