// A client on a simulated cluster that knows what its messages do: it sends, reads, and holds every answer against
// the histories of the documents.

import assert from 'node:assert/strict';
import { decodeUtf8 } from '@deltabase/base';
import type {
  NodeId,
  OpenRead,
  ReadMode,
  ReadRequest,
  ReadResult,
  ReadValue,
  Result,
} from '@deltabase/engine';
import type { Freshness, Question } from '../check/freshness.js';
import type { Call } from '../check/operation-log.js';
import type { RegisterInput, RegisterOutput } from '../check/register.js';
import type { RegisterHistory } from '../check/register-history.js';
import type { TokenHistory } from '../check/token-history.js';
import type { ListOutput } from '../check/token-list.js';
import type { RegisterChannel, TokenChannel } from '../machines/token-machine.js';
import { pickServer, type Server } from './server.js';
import {
  describeResult,
  RETRY_MS,
  type Sending,
  type SessionOptions,
  SimulatedSession,
  TIMEOUT_MS,
} from './simulated-session.js';

export interface ClientOptions extends SessionOptions {
  /** What is known of a document of tokens, made if need be. */
  readonly historyOf: (key: string) => TokenHistory;
  /** The same for a register. */
  readonly registerOf: (key: string) => RegisterHistory;
  readonly freshness: Freshness;
  /** Told of each read that a replica has answered with a document. */
  readonly servedByReplica?: (mode: ReadMode) => void;
}

/** A read on its way. */
interface Reading {
  readonly key: string;
  readonly mode: ReadMode;
  readonly question: Question;
  readonly floor: number;
  /** Of a read that must show the latest. */
  readonly call: Call<ListOutput> | undefined;
}

/** A read at a server. */
interface AskedRead {
  read: OpenRead | undefined;
  isGivenUp: boolean;
}

/** What a message to a document of tokens was sent with. */
interface Asked {
  readonly history: TokenHistory;
  readonly token: string;
  readonly floor: number;
  readonly call: Call<ListOutput>;
}

export class SimulatedClient {
  readonly #options: ClientOptions;
  readonly #session: SimulatedSession;
  readonly #openReads = new Set<AskedRead>();

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#session = new SimulatedSession(options);
  }

  /** Messages and reads without an answer. */
  get openCount(): number {
    return this.#session.openCount + this.#openReads.size;
  }

  get sendings(): readonly Sending[] {
    return this.#session.sendings;
  }

  /** Sends a message with a token of its own. */
  send(key: string, channel: TokenChannel, to?: NodeId): Sending {
    const token = this.#session.nextToken;
    const history = this.#options.historyOf(key);
    const isAppend = channel === 'append' || channel === 'append_much';
    const call = history.log.call(isAppend ? { kind: 'append', token } : { kind: 'count' });
    const asked: Asked = { history, token, floor: history.begin(), call };
    if (isAppend) history.sent(token);
    const answered = (result: Result, order: 'first' | 'again'): void => {
      const isFirst = order === 'first';
      if (isAppend) checkAppend(asked, result, isFirst);
      // A question that is asked again sees a later state.
      else if (isFirst) checkCount(asked, channel, result);
    };
    return this.#session.send({ key, channel, payload: { token }, answered }, to);
  }

  /** Does something to a register. */
  change(key: string, input: RegisterInput): Sending {
    const call = this.#options.registerOf(key).log.call(input);
    const answered = (result: Result, order: 'first' | 'again'): void => {
      if (order === 'first') call.answered(outputOf(input, result));
    };
    return this.#session.send({ key, ...messageOf(input), answered });
  }

  /** Sends a message that has an answer already, or not, once more. */
  retry(sending: Sending, to?: NodeId): void {
    this.#session.retry(sending, to);
  }

  /** It ends: its reads are given up, and whoever it sent something to has nobody to answer to. */
  die(): void {
    this.#session.die();
    for (const open of this.#openReads) {
      open.isGivenUp = true;
      open.read?.cancel();
    }
    this.#openReads.clear();
  }

  /** Reads the whole document at any node or replica; `got` gets the answer, unless the process ends first. */
  read(key: string, mode: ReadMode, got: (result: ReadResult) => void = () => {}): void {
    const server = this.#pickServer();
    if (server === undefined) return;
    const { space, historyOf, freshness, servedByReplica } = this.#options;
    const history = historyOf(key);
    const floor = history.begin();
    const call = mode.kind === 'linearizable' ? history.log.call({ kind: 'read' }) : undefined;
    const question = freshness.ask(server, space, key);
    this.#ask(server, key, { mode, atSeq: undefined }, (result) => {
      this.#checkRead({ key, mode, question, floor, call }, result);
      if (server.kind === 'replica' && result.kind === 'value') servedByReplica?.(mode);
      got(result);
    });
  }

  /** Reads a document as it was at a seq that somebody has seen. */
  readPast(key: string): void {
    // Replicas keep the present states only, and pass such reads on.
    const server = this.#pickServer(['node']);
    const history = this.#options.historyOf(key);
    const known = history.begin();
    if (server === undefined || known === 0) return;
    const atSeq = 1 + this.#session.chance.below(known);
    this.#ask(server, key, { mode: { kind: 'stale' }, atSeq }, (result) => {
      if (result.kind === 'failed') return;
      const tokens = tokensOf(result);
      assert.equal(result.seq, atSeq, `${key}: the seq that was asked for`);
      assert.equal(tokens.length, atSeq, `${key}: as many tokens as deltas`);
      history.copy(tokens, result.hash);
    });
  }

  #pickServer(kinds: ReadonlyArray<Server['kind']> = ['node', 'replica']): Server | undefined {
    const { cluster } = this.#options;
    return pickServer(cluster.servers(), this.#session.chance, kinds);
  }

  #ask(
    server: Server,
    key: string,
    request: Pick<ReadRequest, 'mode' | 'atSeq'>,
    answered: (result: ReadResult) => void,
  ): void {
    const { cluster, space, trace } = this.#options;
    const open: AskedRead = { read: undefined, isGivenUp: false };
    this.#openReads.add(open);
    const expiresMs = server.clock.monotonicMs + TIMEOUT_MS;
    open.read = server.streams.read(
      { space, key, pointer: '', expiresMs, ...request },
      (result) => {
        assert.ok(!open.isGivenUp, `${key}: a read that was given up is answered`);
        if (!this.#openReads.delete(open)) return;
        const nowMs = cluster.simulation.nowMs.toFixed(1);
        const said = describeResult(result);
        trace?.(`${nowMs} read ${key} at ${server.name}, ${request.mode.kind}: ${said}`);
        answered(result);
      },
    );
    // A call to a process that has died ends with it.
    const watch = (): void => {
      if (!this.#openReads.has(open)) return;
      if (server.isGone) this.#openReads.delete(open);
      else cluster.simulation.schedule(RETRY_MS, watch);
    };
    watch();
  }

  #checkRead({ key, mode, question, floor, call }: Reading, result: ReadResult): void {
    const history = this.#options.historyOf(key);
    const isAbsent = result.kind === 'failed' && result.code === 'DOCUMENT_NOT_FOUND';
    if (result.kind === 'failed' && !isAbsent) {
      call?.failed();
      return;
    }
    const tokens = result.kind === 'value' ? tokensOf(result) : [];
    const seq = result.kind === 'value' ? result.seq : 0;
    assert.equal(tokens.length, seq, `${key}: as many tokens as deltas`);
    history.copy(tokens, result.kind === 'value' ? result.hash : undefined);
    if (call === undefined) history.log.shown({ kind: 'read' }, history.list(tokens));
    else call.answered(history.list(tokens));
    // Whatever is shown is committed, so nobody sees less who asks for the latest from now on.
    history.saw(seq, mode.kind === 'linearizable' ? floor : 0);
    this.#options.freshness.checkRead(question, mode, seq, result);
    if (mode.kind === 'atLeast') assert.ok(seq >= mode.seq, `${key}: ${seq} < ${mode.seq}`);
  }
}

function checkAppend(
  { history, token, floor, call }: Asked,
  result: Result,
  isFirst: boolean,
): void {
  // A late retry may be refused because its answer was settled in the meantime.
  if (result.kind === 'accepted') {
    history.accepted(token, result.seq, floor);
    if (isFirst) call.answered({ kind: 'appended', length: result.seq });
    assert.equal(decodeUtf8(result.reply!), String(result.seq), `${token}: the reply`);
  } else if (isFirst) {
    history.refused(token);
    call.failed();
  }
}

/** Answers to messages that change nothing say how many tokens there are. */
function checkCount(
  { history, token, floor, call }: Asked,
  channel: TokenChannel,
  result: Result,
): void {
  const said = describeResult(result);
  if (channel === 'append_and_trap') {
    assert.ok(result.kind === 'failed' && result.code === 'TRAPPED', said);
    call.failed();
    return;
  }
  let length: number;
  if (channel === 'look') {
    assert.ok(result.kind === 'accepted', `${token}: ${said}`);
    assert.equal(decodeUtf8(result.reply!), String(result.seq), `${token}: the reply`);
    length = result.seq;
  } else {
    assert.ok(result.kind === 'failed' && result.code === 'REJECTED', said);
    length = Number(result.message);
  }
  history.saw(length, floor);
  call.answered({ kind: 'count', length });
}

function messageOf(input: RegisterInput): {
  readonly channel: RegisterChannel;
  readonly payload: Readonly<Record<string, unknown>>;
} {
  switch (input.kind) {
    case 'put':
      return { channel: 'put', payload: { token: input.value } };
    case 'compareAndSet':
      return {
        channel: 'compare_and_set',
        payload: { token: input.value, version: input.version },
      };
    default:
      return { channel: input.kind, payload: {} };
  }
}

/** What the answer says; the register's version is the document's seq. */
function outputOf(input: RegisterInput, result: Result): RegisterOutput {
  assert.ok(result.kind === 'accepted', describeResult(result));
  const reply = JSON.parse(decodeUtf8(result.reply!)!) as unknown;
  if (input.kind === 'get') {
    const { version, value } = reply as { readonly version: number; readonly value?: string };
    assert.equal(version, result.seq, 'each version is a delta');
    return { kind: 'got', version, value };
  }
  if (reply === false) return { kind: 'conflict' };
  assert.equal(reply, result.seq, 'each version is a delta');
  return { kind: 'changed', version: reply as number };
}

function tokensOf({ value }: ReadValue): unknown[] {
  return JSON.parse(decodeUtf8(value)!) as unknown[];
}
