// Whether a node may come back with an old image of its disk without harm: none of what it forgets matters, since all
// other voters have the entries that it acknowledged, and nobody is left who could ask for the votes that it gave.
// Where it matters the node cannot know, and a cluster may lose what it promised: nobody must restore such an image.

import type { NodeId } from '@deltabase/engine';
import type { ConfState } from 'raft-ts';
import { type StoredLog, StoredLogs } from '../check/stored-logs.js';
import type { SortedMap } from '../disk/sorted-map.js';

export interface Forgetting {
  readonly id: NodeId;
  /** What all nodes have on their disks; `id` as before the image is put back. */
  readonly logs: StoredLogs;
  /** What `id` will find. */
  readonly image: SortedMap;
  /** Configurations of a group that anybody may go by. */
  readonly confsOf: (group: number) => readonly ConfState[];
}

export function forgetsNothing({ id, logs, image, confsOf }: Forgetting): boolean {
  const after = new StoredLogs();
  after.replaced(id, image);
  return [...logs.of(id)].every(([group, before]) => {
    const voters = new Set(
      confsOf(group).flatMap(({ voters, votersOutgoing }) => [...voters, ...votersOutgoing]),
    );
    voters.delete(id);
    const others = [...voters].map((voter): [NodeId, StoredLog] => [voter, logs.log(voter, group)]);
    const now = after.log(id, group);
    return entriesAreElsewhere(before, now, others) && votesAreVoid(before, now, others);
  });
}

type Others = ReadonlyArray<readonly [NodeId, StoredLog]>;

function entriesAreElsewhere(before: StoredLog, now: StoredLog, others: Others): boolean {
  for (let index = now.flushedIndex + 1; index <= before.flushedIndex; index++) {
    if (!now.entries.has(index) && others.some(([, log]) => !log.reaches(index))) return false;
  }
  return [...before.entries.values()].every(
    (entry) => now.holds(entry) || others.every(([, log]) => log.holds(entry)),
  );
}

/** Others are in its term or beyond, and none of them asks for a vote there that it gave to somebody else. */
function votesAreVoid(before: StoredLog, now: StoredLog, others: Others): boolean {
  const { term, vote } = before.hardState;
  if (now.hardState.term === term && now.hardState.vote === vote) return true;
  return others.every(([id, { hardState }]) => {
    const asks = hardState.term === term && hardState.vote === id && vote !== id;
    return hardState.term >= term && !asks;
  });
}
