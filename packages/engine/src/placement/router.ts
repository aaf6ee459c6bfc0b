// Where a message goes from here: into the backlog of its group if this node leads it, else on to the node
// that does (DESIGN.md section 4, step 1). It is checked first, wherever it comes from.

import type { Limits } from '@deltabase/base';
import { groupOf, SYSTEM_SPACE } from '@deltabase/machine';
import { messageProblem } from '../check-message.js';
import type { Group } from '../groups/group.js';
import { expired } from '../groups/refusals.js';
import type { NodeId } from '../ports.js';
import { type AnswerSink, type Failure, failure, overloaded, type Submission } from '../results.js';
import type { Forwarding } from './forwarding.js';

export interface RouterHost {
  readonly self: NodeId;
  readonly groups: readonly Group[];
  readonly limits: Limits;
  readonly forwarding: Forwarding;
  readonly touched: Set<AnswerSink>;
  nowMs(): number;
  isReachable(peer: NodeId): boolean;
  /** Bytes left on the disk if they are too few to take a message, else `undefined`. */
  lowDiskBytes(): number | undefined;
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
    if (submission.message.space === SYSTEM_SPACE) this.refuse(submission, systemSpace());
    else this.submitOwn(submission);
  }

  /** A message of this node or its clients. */
  submitOwn(submission: Submission): void {
    if (this.#draining) this.refuse(submission, stopping());
    else if (this.#isSound(submission)) this.#route(submission);
  }

  /** A message that another node passed on: executed here or not at all, so that none goes in circles. */
  submitForwarded(submission: Submission): void {
    if (!this.#isSound(submission)) return;
    const group = this.#groupFor(submission);
    if (group.takesMessages && !this.#draining) this.#enqueue(group, submission);
    else this.refuse(submission, notLeader(group.lead));
  }

  /** A message that this node took and can no longer execute; it may have stood still for long meanwhile. */
  reroute(submission: Submission): void {
    if (submission.expiresMs <= this.#host.nowMs()) this.refuse(submission, expired());
    else this.#route(submission);
  }

  refuse({ sink, tag }: Submission, why: Failure): void {
    sink.answer(tag, why);
    this.#host.touched.add(sink);
  }

  #isSound(submission: Submission): boolean {
    const problem = messageProblem(submission.message, this.#host.limits);
    if (problem !== undefined) this.refuse(submission, problem);
    return problem === undefined;
  }

  #groupFor({ message }: Submission): Group {
    return this.groupOf(message.space, message.key);
  }

  #route(submission: Submission): void {
    const group = this.#groupFor(submission);
    if (group.takesMessages) this.#enqueue(group, submission);
    else this.#pass(group, submission);
  }

  #enqueue(group: Group, submission: Submission): void {
    const freeBytes = this.#host.lowDiskBytes();
    if (freeBytes !== undefined) this.refuse(submission, diskLow(this.#host, freeBytes));
    else if (!group.enqueue(submission)) this.refuse(submission, queueFull(group.backlogCount));
  }

  #pass(group: Group, submission: Submission): void {
    const { self, forwarding } = this.#host;
    const { lead } = group;
    if (lead === 0 || lead === self || !this.#host.isReachable(lead)) {
      this.refuse(submission, noLeader());
    } else {
      forwarding.forward(submission, lead, this.#host.nowMs());
    }
  }
}

/** A planned transfer is over by then; without a leader for longer, each attempt waits twice as long as the one before. */
const NO_LEADER_RETRY_AFTER_MS = 20;
/** Room on a disk does not come at once. */
const DISK_RETRY_AFTER_MS = 2000;

function systemSpace(): Failure {
  return failure('INVALID_ARGUMENT', 'the system space takes no messages: deploy instead');
}

function stopping(): Failure {
  return failure('UNAVAILABLE', 'this node is stopping: use another one');
}

function notLeader(lead: NodeId): Failure {
  return failure('UNAVAILABLE', 'this node does not lead the group any more: send again', { lead });
}

function noLeader(): Failure {
  return failure(
    'UNAVAILABLE',
    'the group has no leader that can be reached: send again in a moment',
    { retryAfterMs: NO_LEADER_RETRY_AFTER_MS },
  );
}

function diskLow({ self, limits }: RouterHost, freeBytes: number): Failure {
  return failure(
    'OVERLOADED',
    `node ${self}, which leads, has ${freeBytes} bytes of disk left and takes messages from ` +
      `${limits.diskFreeBytesMin} on: give it room`,
    { retryAfterMs: DISK_RETRY_AFTER_MS, freeBytes },
  );
}

function queueFull(count: number): Failure {
  return overloaded(`${count} messages wait for this group already: send again later, slower`);
}
