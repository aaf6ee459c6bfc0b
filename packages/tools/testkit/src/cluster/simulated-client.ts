// A client on a simulated cluster: numbers its messages, sends each to any node, and again under the same
// number until it has its answer for good, as the real one does.

import assert from 'node:assert/strict';
import { decodeUtf8, ERRORS, encodeUtf8, type Prng } from '@deltabase/base';
import type { NodeId, ReadMode, ReadResult, ReadValue, Result } from '@deltabase/engine';
import type { Call } from '../check/operation-log.js';
import type { TokenHistory } from '../check/token-history.js';
import type { ListOutput } from '../check/token-list.js';
import type { TokenChannel } from '../machines/token-machine.js';
import type { Cluster } from './cluster.js';
import { WALL_START_MS } from './node-clock.js';

export interface ClientOptions {
  readonly cluster: Cluster;
  /** Unique for ever. */
  readonly name: string;
  readonly space: string;
  /** What is known of a document, made if need be. */
  readonly historyOf: (key: string) => TokenHistory;
  /** Told of each answer. */
  readonly trace?: (line: string) => void;
  /** Keeps the order of the messages to one document, by `after`. */
  readonly ordered?: boolean;
}

/** One message from its first sending to its answer. */
export interface Sending {
  readonly key: string;
  readonly channel: TokenChannel;
  readonly token: string;
  readonly number: number;
  readonly floor: number;
  readonly call: Call<ListOutput>;
  attempts: number;
  /** The answer for good. */
  result: Result | undefined;
}

/** A read on its way. */
interface Reading {
  readonly key: string;
  readonly mode: ReadMode;
  readonly floor: number;
  /** Of a read that must show the latest. */
  readonly call: Call<ListOutput> | undefined;
}

const RETRY_MS = 60;
const TIMEOUT_MS = 1500;

export class SimulatedClient {
  readonly #options: ClientOptions;
  readonly #chance: Prng;
  /** By number, from 1 on. */
  readonly #sendings: Sending[] = [];
  readonly #openReads = new Set<symbol>();
  #settled = 1;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#chance = options.cluster.simulation.random.fork(`client ${options.name}`);
  }

  /** Messages and reads without an answer. */
  get openCount(): number {
    const from = this.#settled - 1;
    const messages = this.#sendings.slice(from).filter(({ result }) => result === undefined);
    return messages.length + this.#openReads.size;
  }

  get sendings(): readonly Sending[] {
    return this.#sendings;
  }

  /** Sends a message with a token of its own. */
  send(key: string, channel: TokenChannel, to?: NodeId): Sending {
    const number = this.#sendings.length + 1;
    const token = `${this.#options.name}-${number}`;
    const history = this.#options.historyOf(key);
    const floor = history.begin();
    const isAppend = channel === 'append' || channel === 'append_much';
    const call = history.log.call(isAppend ? { kind: 'append', token } : { kind: 'count' });
    const message = { key, channel, token, number, floor, call };
    const sending = { ...message, attempts: 0, result: undefined };
    if (isAppend) history.sent(token);
    this.#sendings.push(sending);
    this.#attempt(sending, to);
    return sending;
  }

  /** Sends a message that has an answer already, or not, once more. */
  retry(sending: Sending, to?: NodeId): void {
    this.#attempt(sending, to);
  }

  /** Reads the whole document at any node; `got` gets the answer, unless the node ends first. */
  read(key: string, mode: ReadMode, got: (result: ReadResult) => void = () => {}): void {
    const node = this.#pickNode();
    if (node === undefined) return;
    const { cluster, space } = this.#options;
    const open = Symbol(key);
    this.#openReads.add(open);
    const history = this.#options.historyOf(key);
    const floor = history.begin();
    const call = mode.kind === 'linearizable' ? history.log.call({ kind: 'read' }) : undefined;
    const expiresMs = cluster.simulation.nowMs + TIMEOUT_MS;
    const request = { space, key, pointer: '', mode, atSeq: undefined, expiresMs };
    const life = cluster.lifeOf(node);
    cluster.engine(node).read(request, (result) => {
      if (!this.#openReads.delete(open)) return;
      this.#trace(`read ${key} ${mode.kind} ${describe(result)}`);
      this.#checkRead({ key, mode, floor, call }, result);
      got(result);
    });
    // A call to a node that has died ends with it.
    const watch = (): void => {
      if (!this.#openReads.has(open)) return;
      if (cluster.lifeOf(node) === life) cluster.simulation.schedule(RETRY_MS, watch);
      else this.#openReads.delete(open);
    };
    watch();
  }

  #attempt(sending: Sending, to = this.#pickNode()): void {
    const { cluster } = this.#options;
    const attempt = ++sending.attempts;
    // Nobody may ever answer: the node may be gone.
    cluster.simulation.schedule(TIMEOUT_MS + RETRY_MS, () => this.#retryLater(sending, attempt));
    if (to === undefined || !cluster.isUp(to)) return;
    const expiresMs = cluster.simulation.nowMs + TIMEOUT_MS;
    const answer = (_tag: number, result: Result): void => this.#answered(sending, attempt, result);
    const sink = { answer, flush() {} };
    const message = { ...this.#messageOf(sending), retried: attempt > 1 };
    cluster.engine(to).submit([{ message, sink, tag: 0, expiresMs }]);
  }

  #messageOf({ key, channel, token, number }: Sending) {
    const { name, space, ordered = false } = this.#options;
    const before = this.#sendings
      .slice(this.#settled - 1, number - 1)
      .filter((other) => other.key === key && other.result === undefined);
    return {
      space,
      key,
      channel,
      payload: encodeUtf8(JSON.stringify({ token })),
      principal: 'tests',
      session: { name, openedAt: WALL_START_MS, settled: this.#settled },
      number,
      after: ordered ? (before.at(-1)?.number ?? 0) : 0,
    };
  }

  #answered(sending: Sending, attempt: number, result: Result): void {
    this.#trace(`${sending.token} ${attempt} ${describe(result)}`);
    const isFinal = result.kind === 'accepted' || ERRORS[result.code].retry === 'never';
    if (!isFinal) {
      const { simulation } = this.#options.cluster;
      simulation.schedule(RETRY_MS, () => this.#retryLater(sending, attempt));
      return;
    }
    this.#check(sending, result);
    sending.result ??= result;
    while (this.#sendings[this.#settled - 1]?.result !== undefined) this.#settled++;
  }

  #retryLater(sending: Sending, attempt: number): void {
    if (sending.result === undefined && sending.attempts === attempt) this.#attempt(sending);
  }

  #check(sending: Sending, result: Result): void {
    const { key, channel, token, floor, call } = sending;
    const isFirst = sending.result === undefined;
    const history = this.#options.historyOf(key);
    if (channel === 'append' || channel === 'append_much') {
      // A late retry may be refused because its answer was settled in the meantime.
      if (result.kind === 'accepted') {
        history.accepted(token, result.seq, floor);
        if (isFirst) call.answered({ kind: 'appended', length: result.seq });
        assert.equal(decodeUtf8(result.reply!), String(result.seq), `${token}: the reply`);
      } else if (isFirst) {
        history.refused(token);
        call.failed();
      }
      return;
    }
    if (!isFirst) return; // It ran again, without effect, at a later state.
    if (channel === 'look') {
      assert.ok(result.kind === 'accepted', `${token}: ${describe(result)}`);
      history.saw(result.seq, floor);
      call.answered({ kind: 'count', length: result.seq });
      assert.equal(decodeUtf8(result.reply!), String(result.seq), `${token}: the reply`);
    } else {
      assert.ok(result.kind === 'failed' && result.code === 'REJECTED', describe(result));
      history.saw(Number(result.message), floor);
      call.answered({ kind: 'count', length: Number(result.message) });
    }
  }

  #checkRead({ key, mode, floor, call }: Reading, result: ReadResult): void {
    const history = this.#options.historyOf(key);
    const isAbsent = result.kind === 'failed' && result.code === 'DOCUMENT_NOT_FOUND';
    if (result.kind === 'failed' && !isAbsent) {
      call?.failed();
      return;
    }
    const tokens = result.kind === 'value' ? tokensOf(result) : [];
    const seq = result.kind === 'value' ? result.seq : 0;
    assert.equal(tokens.length, seq, `${key}: as many tokens as deltas`);
    history.copy(tokens);
    if (call === undefined) history.log.shown({ kind: 'read' }, history.list(tokens));
    else call.answered(history.list(tokens));
    // Whatever is shown is committed, so nobody sees less who asks for the latest from now on.
    history.saw(seq, mode.kind === 'linearizable' ? floor : 0);
    if (mode.kind === 'atLeast') assert.ok(seq >= mode.seq, `${key}: ${seq} < ${mode.seq}`);
  }

  #pickNode(): NodeId | undefined {
    const { cluster } = this.#options;
    const up = cluster.ids.filter((id) => cluster.isUp(id));
    return up.length === 0 ? undefined : up[this.#chance.below(up.length)];
  }

  #trace(line: string): void {
    this.#options.trace?.(line);
  }
}

function describe(result: Result | ReadResult): string {
  if (result.kind === 'failed') return `${result.code} ${result.message}`;
  return `${result.kind} ${result.seq}`;
}

function tokensOf({ value }: ReadValue): unknown[] {
  return JSON.parse(decodeUtf8(value)!) as unknown[];
}
