// News that nobody waits for: appends without entries, which tell followers of a commit, and the answers to them.
// Each commit is a message of its own in the core; here it waits for a frame that leaves anyway, and is left out
// where a later message of its group says more (docs/raft.md: coalescing lives in the host, after Ready).

import type { AppendMessage, AppendResponseMessage } from 'raft-ts';
import type { NodeId } from '../ports.js';
import type { ListedMessage } from './raft-codec.js';

export type NoticeMessage = AppendMessage | AppendResponseMessage;

export interface Notice {
  readonly group: number;
  readonly message: NoticeMessage;
}

export class Notices {
  /** The latest of each group and kind, by `slotOf`: so they are bounded by the groups. */
  readonly #waiting = new Map<NodeId, Map<number, Notice>>();

  /** Keeps a notice for the next frame to its receiver. */
  add(group: number, message: NoticeMessage): void {
    let notices = this.#waiting.get(message.to);
    if (notices === undefined) {
      notices = new Map();
      this.#waiting.set(message.to, notices);
    }
    notices.set(slotOf(group, message), { group, message });
  }

  /** A message that is sent says more than the notice of its group and kind. */
  supersede(group: number, message: ListedMessage): void {
    if (message.type !== 'append' && message.type !== 'appendResponse') return;
    this.#waiting.get(message.to)?.delete(slotOf(group, message));
  }

  /** Nothing is sent to `peer` any more. */
  forget(peer: NodeId): void {
    this.#waiting.delete(peer);
  }

  /** For whom any wait. */
  get receivers(): NodeId[] {
    return [...this.#waiting].filter(([, { size }]) => size > 0).map(([peer]) => peer);
  }

  /** What goes with the frame to `peer`. */
  *take(peer: NodeId): Generator<Notice, void, void> {
    const notices = this.#waiting.get(peer);
    if (notices === undefined || notices.size === 0) return;
    yield* notices.values();
    notices.clear();
  }
}

function slotOf(group: number, { type }: NoticeMessage): number {
  return 2 * group + (type === 'append' ? 0 : 1);
}
