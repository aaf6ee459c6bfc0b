// Where a message goes from here: into the queue of its group if this node leads it, else on to the node that
// does (DESIGN.md section 4, step 1).

import type { Limits } from '@deltabase/base';
import { groupOf } from '@deltabase/machine';
import type { Group } from '../groups/group.js';
import type { NodeId } from '../ports.js';
import { type AnswerSink, type Failure, failure, type Submission } from '../results.js';
import type { Forwarding } from './forwarding.js';

export interface RouterHost {
  readonly self: NodeId;
  readonly groups: readonly Group[];
  readonly limits: Limits;
  readonly forwarding: Forwarding;
  readonly touched: Set<AnswerSink>;
  nowMs(): number;
  isReachable(peer: NodeId): boolean;
  dirty(group: Group): void;
}

export class Router {
  readonly #host: RouterHost;
  #draining = false;

  constructor(host: RouterHost) {
    this.#host = host;
  }

  /** No further message is taken. */
  drain(): void {
    this.#draining = true;
  }

  groupOf(space: string, key: string): Group {
    const { groups } = this.#host;
    return groups[groupOf(space, key, groups.length - 1)]!;
  }

  /** A client's message. */
  submit(submission: Submission): void {
    if (this.#draining) {
      this.#refuse(submission, failure('UNAVAILABLE', 'this node is stopping: use another one'));
      return;
    }
    const group = this.#groupFor(submission);
    if (group.takesMessages) this.#enqueue(group, submission);
    else this.#pass(group, submission);
  }

  /** A message that another node passed on: executed here or not at all, so that none goes in circles. */
  submitForwarded(submission: Submission): void {
    const group = this.#groupFor(submission);
    if (group.takesMessages && !this.#draining) this.#enqueue(group, submission);
    else this.#refuse(submission, notLeader(group.lead));
  }

  /** A message that this node took and can no longer execute. */
  reroute(submission: Submission): void {
    const group = this.#groupFor(submission);
    if (group.takesMessages) this.#enqueue(group, submission);
    else this.#pass(group, submission);
  }

  #groupFor({ message }: Submission): Group {
    return this.groupOf(message.space, message.key);
  }

  #enqueue(group: Group, submission: Submission): void {
    const { groupQueueMax } = this.#host.limits;
    if (group.queueLength >= groupQueueMax) {
      const why = `${groupQueueMax} messages wait for this group already: send again later, slower`;
      this.#refuse(submission, failure('OVERLOADED', why, { retryAfterMs: RETRY_AFTER_MS }));
      return;
    }
    group.enqueue(submission);
    this.#host.dirty(group);
  }

  #pass(group: Group, submission: Submission): void {
    const { self, forwarding } = this.#host;
    const { lead } = group;
    if (lead === 0 || lead === self || !this.#host.isReachable(lead)) {
      const why = 'the group has no leader that can be reached: send again in a moment';
      const details = { retryAfterMs: RETRY_AFTER_MS };
      this.#refuse(submission, failure('UNAVAILABLE', why, details));
      return;
    }
    forwarding.forward(submission, lead, this.#host.nowMs());
  }

  #refuse({ sink, tag }: Submission, why: Failure): void {
    sink.answer(tag, why);
    this.#host.touched.add(sink);
  }
}

const RETRY_AFTER_MS = 100;

function notLeader(lead: NodeId): Failure {
  return failure('UNAVAILABLE', 'this node does not lead the group any more: send again', { lead });
}
