// Messages, entries and work as people read them, one line each, for the golden scenarios.

import { type ConfChange, decodeConfChange } from '../../src/conf-change.js';
import type { Message } from '../../src/message.js';
import type { AppendWork, Ready } from '../../src/ready.js';
import type { BasicStatus, PeerStatus } from '../../src/status.js';
import type { ConfState, Entry, NodeId } from '../../src/types.js';
import { textOf } from './entries.js';

const SIGNS = { addVoter: '+', addLearner: '~', remove: '-' } as const;

export function describeMessage(message: Message): string {
  return `${message.from}>${message.to} ${message.type} t${message.term}${detailsOf(message)}`;
}

export function describeEntry(entry: Entry): string {
  return `${entry.index}/${entry.term}${describeData(entry)}`;
}

/** What a Ready asks for, line by line. */
export function describeReady({ softState, messages, append, apply, readStates }: Ready): string[] {
  const lines: string[] = [];
  if (softState !== undefined) {
    const { role, lead } = softState;
    lines.push(`is ${role}${lead === 0 ? '' : `, ${lead} leads`}`);
  }
  for (const { index, context } of readStates) lines.push(`read ${textOf(context)} at ${index}`);
  if (append !== undefined) lines.push(...describeAppend(append));
  if (apply !== undefined) lines.push(`apply ${apply.entries.map(describeEntry).join(' ')}`);
  for (const message of messages) lines.push(`send ${describeMessage(message)}`);
  return lines.length > 0 ? lines : ['nothing'];
}

export function describeConf(conf: ConfState): string {
  const { voters, votersOutgoing, learners, learnersNext, autoLeave } = conf;
  const parts = [`voters ${voters.join(' ')}`];
  if (votersOutgoing.length > 0) parts.push(`outgoing ${votersOutgoing.join(' ')}`);
  if (learners.length > 0) parts.push(`learners ${learners.join(' ')}`);
  if (learnersNext.length > 0) parts.push(`learners next ${learnersNext.join(' ')}`);
  if (autoLeave) parts.push('left by itself');
  return parts.join(', ');
}

export function describeStatus(status: BasicStatus): string {
  const { role, term, vote, lead, commit, applied, firstIndex, lastIndex } = status;
  const parts = [`${role} t${term} vote ${vote} lead ${lead}`];
  parts.push(`log ${firstIndex}..${lastIndex} commit ${commit} applied ${applied}`);
  if (status.leadTransferee !== 0) parts.push(`hands over to ${status.leadTransferee}`);
  if (status.damaged) parts.push('damaged');
  return parts.join(', ');
}

export function describePeer(peer: PeerStatus): string {
  const parts = [`${peer.id} ${peer.state} match ${peer.match} next ${peer.next}`];
  if (peer.isLearner) parts.push('learner');
  if (peer.paused) parts.push('paused');
  if (peer.inflight > 0) parts.push(`inflight ${peer.inflight}`);
  if (peer.pendingSnapshot > 0) parts.push(`snapshot ${peer.pendingSnapshot}`);
  if (!peer.recentActive) parts.push('silent');
  if (peer.damaged) parts.push('damaged');
  return parts.join(', ');
}

export function describeChange({ transition, changes }: ConfChange): string {
  if (changes.length === 0 && transition === 'auto') return 'leave';
  const steps = changes.map(({ kind, node }) => `${SIGNS[kind]}${node}`);
  return [...(transition === 'auto' ? [] : [transition]), ...steps].join(' ');
}

/** `+4 ~5 -1`: a voter, a learner, and one to remove. */
export function parseNodeChange(text: string): { kind: keyof typeof SIGNS; node: NodeId } {
  for (const kind of ['addVoter', 'addLearner', 'remove'] as const) {
    if (text.startsWith(SIGNS[kind])) return { kind, node: Number(text.slice(1)) };
  }
  throw new Error(`${text} is no change of a node`);
}

function describeAppend(work: AppendWork): string[] {
  const { hardState, snapshot, entries } = work;
  const parts: string[] = [];
  if (hardState !== undefined) {
    parts.push(`term ${hardState.term} vote ${hardState.vote} commit ${hardState.commit}`);
  }
  if (snapshot !== undefined) {
    parts.push(`snapshot ${snapshot.index}/${snapshot.term} (${describeConf(snapshot.confState)})`);
  }
  if (entries.length > 0) parts.push(entries.map(describeEntry).join(' '));
  const what = parts.length > 0 ? parts.join(', ') : 'nothing';
  const lines = [`write ${what}${work.mustSync ? ', synced' : ''}`];
  for (const response of work.messages) lines.push(`  then ${describeMessage(response)}`);
  return lines;
}

function detailsOf(message: Message): string {
  switch (message.type) {
    case 'append': {
      const { prevIndex, prevTerm, entries, commit } = message;
      const after = [`${prevIndex}/${prevTerm}`, ...entries.map(describeEntry)].join(' ');
      return ` after ${after} commit ${commit}`;
    }
    case 'appendResponse':
      if (!message.reject) return ` ${message.index}`;
      return ` rejects ${message.index}, hint ${message.hintIndex}/${message.hintTerm}`;
    case 'vote':
    case 'preVote':
      return ` log ${message.lastIndex}/${message.lastTerm}${message.transfer ? ' transfer' : ''}`;
    case 'voteResponse':
    case 'preVoteResponse':
      return message.reject ? ' no' : ' yes';
    case 'heartbeat': {
      const { commit, match, readRound } = message;
      return ` commit ${commit} match ${match}${readRound > 0 ? ` round ${readRound}` : ''}`;
    }
    case 'heartbeatResponse':
      if (message.damaged) return ' damaged';
      return message.readRound > 0 ? ` round ${message.readRound}` : '';
    case 'snapshot': {
      const { index, term, confState } = message.snapshot;
      return ` ${index}/${term} (${describeConf(confState)})`;
    }
    case 'timeoutNow':
      return '';
    case 'transferLeader':
      return ` to ${message.transferee}`;
    case 'propose':
      return message.entries.map(describeData).join('');
    case 'readIndex':
      return ` ${textOf(message.context)}`;
    case 'readIndexResponse':
      return ` ${textOf(message.context)} at ${message.index}`;
  }
}

function describeData({ type, data }: Pick<Entry, 'type' | 'data'>): string {
  if (type === 'confChange') return `[${describeChange(decodeConfChange(data))}]`;
  return data.length > 0 ? `"${textOf(data)}"` : '';
}
