// What nodes say to the members document of their own accord: the cluster has begun; a node was met; this one is
// somewhere else; and, from the leader of the system group, that a change under way can go on. Each follows from what is
// so, not from what has happened: whoever leads next says it again, and saying it twice changes nothing.

import { encodeUtf8 } from '@deltabase/base';
import { type Message, SYSTEM_SPACE } from '@deltabase/machine';
import type { Log, NodeId } from '../ports.js';
import type { AnswerSink, Result, Submission } from '../results.js';
import type { RecoveryRow } from '../storage/rows.js';
import type { Member, Recovery } from './member.js';
import { MEMBERS_KEY, type MembersState } from './members-state.js';
import type { Membership } from './membership.js';
import type { Standings } from './standings.js';

export interface SteeringHost {
  readonly self: NodeId;
  readonly incarnation: number;
  /** The nodes that the configuration names: a new cluster begins with them. */
  readonly configured: readonly Member[];
  /** What the data directory was recovered from, if it was. */
  readonly recovery: RecoveryRow | undefined;
  readonly membership: Membership;
  readonly standings: Standings;
  readonly log: Log;
  /** Whether this node leads the system group and takes messages for it. */
  leadsSystem(): boolean;
  incarnationOf(node: NodeId): number | undefined;
  /** 32 random bits. */
  random(): number;
  submit(submission: Submission): void;
}

interface Saying {
  readonly channel: string;
  readonly payload: unknown;
}

const ANSWER_MS = 5000;
/** After a refusal, or no answer, it waits for so long. */
const REST_MS = 1000;
const PRINCIPAL = '$node';

export class Steering {
  readonly #host: SteeringHost;
  /** Where this node is, by its own word; `undefined`: where the document says. */
  #own: Member | undefined;
  /** The id that this node would give a new cluster: the same with every attempt. */
  #newId = '';
  #isWaiting = false;
  #restsUntilMs = 0;
  /** The time of the last tick. */
  #nowMs = 0;

  constructor(host: SteeringHost) {
    this.#host = host;
  }

  /** Where this node is: the others are to know. */
  announce(own: Member): void {
    this.#own = own;
  }

  /** Where this node is by its own word; `undefined`: it has none. */
  get own(): Member | undefined {
    return this.#own;
  }

  /** Says what is to be said, one thing at a time; called now and then. */
  tick(nowMs: number): void {
    this.#nowMs = nowMs;
    if (this.#isWaiting || nowMs < this.#restsUntilMs) return;
    const saying =
      this.#ofItself() ?? (this.#host.leadsSystem() ? this.#asLeader(nowMs) : undefined);
    if (saying !== undefined) this.#say(saying, nowMs);
  }

  /** This node has moved. */
  #ofItself(): Saying | undefined {
    const { membership, self } = this.#host;
    const own = this.#own;
    const known = membership.isOfCluster
      ? membership.state!.nodes.find(({ node }) => node === self)
      : undefined;
    if (own === undefined || known === undefined) return undefined;
    const { peerAddress: peer, clientAddress: client } = own;
    if (known.peerAddress === peer && known.clientAddress === client) return undefined;
    return { channel: 'move', payload: { node: self, peer, client } };
  }

  #asLeader(nowMs: number): Saying | undefined {
    const { membership } = this.#host;
    const { state } = membership;
    if (state === undefined || !membership.isOfCluster) return this.#found(state);
    return this.#met(state) ?? this.#goOn(state, nowMs);
  }

  /** The cluster begins, or goes on under another id after a recovery. */
  #found(before: MembersState | undefined): Saying | undefined {
    const { membership, configured, random } = this.#host;
    const recovery = this.#recovery;
    const isNew = membership.clusterId === '';
    if (!isNew && recovery === undefined) return undefined; // It is still to come here.
    if (this.#newId === '') this.#newId = `${hex(random())}${hex(random())}`;
    const id = isNew ? this.#newId : membership.clusterId;
    const founders = membership.founders.map((node) =>
      [...configured, ...membership.members].find((one) => one.node === node),
    );
    const members = founders.map((one) => ({
      node: one!.node,
      peer: one!.peerAddress,
      client: one!.clientAddress,
    }));
    const payload = { id, members, before: before?.id ?? null, ...(recovery && { recovery }) };
    return { channel: 'found', payload };
  }

  /** The recovery that this cluster is what has come of. */
  get #recovery(): Recovery | undefined {
    const { recovery, membership } = this.#host;
    if (recovery === undefined || recovery.clusterId !== membership.clusterId) return undefined;
    const { clusterId: _, ...told } = recovery;
    return told;
  }

  /** A node was heard of for the first time. */
  #met({ nodes }: MembersState): Saying | undefined {
    for (const { node, incarnation: known } of nodes) {
      if (known !== undefined) continue;
      const { self, incarnation: own } = this.#host;
      const incarnation = node === self ? own : this.#host.incarnationOf(node);
      if (incarnation !== undefined) return { channel: 'met', payload: { node, incarnation } };
    }
    return undefined;
  }

  /** The change under way can go on, or is through. */
  #goOn({ change }: MembersState, nowMs: number): Saying | undefined {
    if (change === undefined) return undefined;
    const { membership, standings } = this.#host;
    const { number, node, phase, promote } = change;
    const payload = { number };
    if (phase === 'changing') {
      // Copies of groups here may be old: what their leaders say counts.
      const isDone = standings.doneIn(number, nowMs) === membership.groups;
      return isDone ? { channel: 'finish', payload } : undefined;
    }
    if (membership.groupsWith(node) < membership.groups) return undefined;
    if (!promote) return { channel: 'finish', payload };
    return standings.lagOf(node, nowMs) === 0 ? { channel: 'advance', payload } : undefined;
  }

  #say({ channel, payload }: Saying, nowMs: number): void {
    const { log, submit } = this.#host;
    this.#isWaiting = true;
    const answered = (result: Result): void => {
      this.#isWaiting = false;
      if (result.kind === 'accepted') log.info('members-said', { channel });
      else log.warn('members-unsaid', { channel, code: result.code, reason: result.message });
      this.#restsUntilMs = result.kind === 'accepted' ? 0 : this.#nowMs + REST_MS;
    };
    const sink: AnswerSink = { answer: (_tag, result) => answered(result), flush() {} };
    const message: Message = {
      space: SYSTEM_SPACE,
      key: MEMBERS_KEY,
      channel,
      payload: encodeUtf8(JSON.stringify(payload)),
      principal: PRINCIPAL,
      session: { name: '', openedAt: 0, settled: 0 },
      number: 0,
      after: 0,
    };
    submit({ message, sink, tag: 0, expiresMs: nowMs + ANSWER_MS });
  }
}

function hex(bits: number): string {
  return bits.toString(16).padStart(8, '0');
}
