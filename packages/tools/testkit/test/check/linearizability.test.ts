import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makePrng, type Prng } from '@deltabase/base';
import {
  checkLinearizable,
  type ListInput,
  ListModel,
  type ListOutput,
  type Model,
  Moments,
  type Operation,
  OperationLog,
  type Register,
  type RegisterInput,
  type RegisterOutput,
  registerModel,
  registerModelFor,
} from '../../src/index.js';

/** A history of a register, one line an operation: from when until when, what, and what it gave. */
type RegisterLine = readonly [number, number | undefined, RegisterInput, RegisterOutput?];

const put = (value: string): RegisterInput => ({ kind: 'put', value });
const get: RegisterInput = { kind: 'get' };
const compareAndSet = (version: number, value: string): RegisterInput => ({
  kind: 'compareAndSet',
  version,
  value,
});
const changed = (version: number): RegisterOutput => ({ kind: 'changed', version });
const got = (version: number, value?: string): RegisterOutput => ({ kind: 'got', version, value });
const conflict: RegisterOutput = { kind: 'conflict' };

function registerVerdict(...lines: RegisterLine[]): string {
  const operations = lines.map(([calledAt, at, input, output]) => ({
    input,
    calledAt,
    answer: at === undefined ? undefined : { at, output: output! },
  }));
  return checkLinearizable(registerModel, operations).kind;
}

/** A history of a list, built call by call. */
class Lists {
  readonly model = new ListModel();
  readonly log = new OperationLog<ListInput, ListOutput>();

  append(token: string) {
    const call = this.log.call({ kind: 'append', token });
    return {
      at: (length: number) => call.answered({ kind: 'appended', length }),
      failed: () => call.failed(),
    };
  }

  read() {
    const call = this.log.call({ kind: 'read' });
    return { shows: (...tokens: string[]) => call.answered(this.#list(tokens)) };
  }

  staleRead(...tokens: string[]): void {
    this.log.shown({ kind: 'read' }, this.#list(tokens));
  }

  get verdict(): string {
    return checkLinearizable(this.model, this.log.operations).kind;
  }

  #list(tokens: readonly string[]): ListOutput {
    return { kind: 'list', list: this.model.listOf(tokens) };
  }
}

test('no operation at all is linearizable', () => {
  assert.equal(registerVerdict(), 'linearizable');
});

test('operations one after the other are, if each gives what the ones before made', () => {
  const lines: RegisterLine[] = [
    [1, 2, get, got(0)],
    [3, 4, put('a'), changed(1)],
    [5, 6, get, got(1, 'a')],
    [7, 8, compareAndSet(1, 'b'), changed(2)],
    [9, 10, compareAndSet(1, 'c'), conflict],
    [11, 12, { kind: 'delete' }, changed(3)],
    [13, 14, get, got(3)],
  ];
  assert.equal(registerVerdict(...lines), 'linearizable');
  const late: RegisterLine = [15, 16, get, got(2, 'b')];
  assert.equal(registerVerdict(...lines, late), 'impossible');
});

test('of two puts at once either may come first, but all must agree which', () => {
  const puts: RegisterLine[] = [
    [1, 10, put('a'), changed(2)],
    [2, 9, put('b'), changed(1)],
  ];
  assert.equal(registerVerdict(...puts, [11, 12, get, got(2, 'a')]), 'linearizable');
  assert.equal(registerVerdict(...puts, [11, 12, get, got(2, 'b')]), 'impossible');
  assert.equal(registerVerdict(...puts, [3, 4, get, got(1, 'b')]), 'linearizable');
  assert.equal(
    registerVerdict(...puts, [3, 4, get, got(2, 'a')], [5, 6, get, got(1, 'b')]),
    'impossible',
    'a reader must not go back',
  );
});

test('a read that began before a put ended may show either', () => {
  const during: RegisterLine[] = [
    [1, 2, put('a'), changed(1)],
    [3, 6, put('b'), changed(2)],
  ];
  assert.equal(registerVerdict(...during, [4, 5, get, got(1, 'a')]), 'linearizable');
  assert.equal(registerVerdict(...during, [4, 5, get, got(2, 'b')]), 'linearizable');
  assert.equal(registerVerdict(...during, [7, 8, get, got(1, 'a')]), 'impossible');
});

test('an operation without an answer may take effect late, or never', () => {
  const lost: RegisterLine = [1, undefined, put('lost')];
  assert.equal(registerVerdict(lost, [2, 3, get, got(0)]), 'linearizable');
  assert.equal(
    registerVerdict(lost, [2, 3, get, got(0)], [4, 5, get, got(1, 'lost')]),
    'linearizable',
  );
  assert.equal(
    registerVerdict(lost, [2, 3, get, got(1, 'lost')], [4, 5, get, got(0)]),
    'impossible',
    'what was seen of it stays',
  );
  assert.equal(
    registerVerdict([4, undefined, put('early')], [2, 3, get, got(1, 'early')]),
    'impossible',
    'it does not take effect before its call',
  );
});

test('two of two operations at once cannot both win a compare-and-set', () => {
  const winner: RegisterLine = [1, 5, compareAndSet(0, 'a'), changed(1)];
  assert.equal(registerVerdict(winner, [2, 6, compareAndSet(0, 'b'), conflict]), 'linearizable');
  assert.equal(registerVerdict(winner, [2, 6, compareAndSet(0, 'b'), changed(1)]), 'impossible');
});

test('a planted stale read is found (Must show 3)', () => {
  const lists = new Lists();
  lists.append('a').at(1);
  lists.append('b').at(2);
  lists.read().shows('a', 'b');
  assert.equal(lists.verdict, 'linearizable');
  lists.read().shows('a');
  assert.equal(lists.verdict, 'impossible');
});

test('a lost append is found (Must show 3)', () => {
  const lists = new Lists();
  lists.append('a').at(1);
  lists.append('b').at(2);
  lists.append('c').at(3);
  lists.read().shows('a', 'c');
  assert.equal(lists.verdict, 'impossible');
});

test('an append that takes effect twice is found (Must show 3)', () => {
  const lists = new Lists();
  lists.append('a').at(1);
  const b = lists.append('b');
  lists.read().shows('a', 'b', 'b');
  b.at(2);
  assert.equal(lists.verdict, 'impossible');
});

test('a token that nobody sent, or that was refused, is found', () => {
  const phantom = new Lists();
  phantom.append('a').at(1);
  phantom.read().shows('a', 'x');
  assert.equal(phantom.verdict, 'impossible');
  const refused = new Lists();
  refused.append('a').failed();
  assert.equal(refused.verdict, 'linearizable');
  refused.read().shows('a');
  assert.equal(refused.verdict, 'impossible');
});

test('tokens in another order than they were answered in are found', () => {
  const lists = new Lists();
  const [a, b] = [lists.append('a'), lists.append('b')];
  a.at(1);
  b.at(2);
  lists.read().shows('b', 'a');
  assert.equal(lists.verdict, 'impossible');
});

test('a stale read may show any state that was, but none that never was', () => {
  const lists = new Lists();
  lists.append('a').at(1);
  lists.append('b').at(2);
  lists.staleRead('a');
  lists.staleRead();
  lists.read().shows('a', 'b');
  assert.equal(lists.verdict, 'linearizable');
  lists.staleRead('b');
  assert.equal(lists.verdict, 'impossible');
});

test('what was shown of a list that could not be yet is found', () => {
  const lists = new Lists();
  lists.staleRead('a');
  lists.append('a').at(1);
  assert.equal(lists.verdict, 'impossible');
});

test('the verdict names the longest order and what does not fit behind it', () => {
  const lists = new Lists();
  lists.append('a').at(1);
  lists.append('b').at(2);
  lists.read().shows('a');
  const verdict = checkLinearizable(lists.model, lists.log.operations);
  assert.ok(verdict.kind === 'impossible');
  assert.deepEqual(
    verdict.order.map(({ input }) => (input.kind === 'append' ? input.token : input.kind)),
    ['a', 'b'],
  );
  assert.equal(verdict.stuck.input.kind, 'read');
});

test('a search that takes too long says that it knows nothing', () => {
  const operations: Operation<RegisterInput, RegisterOutput>[] = [];
  for (let at = 0; at < 30; at++) {
    operations.push({ input: put(`${at}`), calledAt: at, answer: undefined });
  }
  // No put makes this value, so that all orders would have to be tried.
  const impossible = { at: 101, output: got(30, 'never') };
  operations.push({ input: get, calledAt: 100, answer: impossible });
  const verdict = checkLinearizable(registerModel, operations, { stepsMax: 10_000 });
  assert.equal(verdict.kind, 'unknown');
});

test('many operations without an answer, that nobody saw or that were seen later, take few steps', () => {
  const operations: Operation<RegisterInput, RegisterOutput>[] = [];
  for (let at = 0; at < 60; at++) {
    const even: RegisterInput = at % 2 === 0 ? put(`${at}`) : { kind: 'delete' };
    const input = at % 12 === 5 ? compareAndSet(at, `${at}`) : even;
    operations.push({ input, calledAt: at, answer: undefined });
  }
  const read = (at: number, output: RegisterOutput) =>
    operations.push({ input: get, calledAt: at, answer: { at: at + 0.5, output } });
  read(100, got(15, '30'));
  read(101, got(30));
  read(102, got(33, '56'));
  const verdictOf = () => {
    const options = { stepsMax: 200_000 };
    return checkLinearizable(registerModelFor(operations), operations, options).kind;
  };
  assert.equal(verdictOf(), 'linearizable');
  // It was there at version 33 already.
  read(103, got(35, '56'));
  assert.equal(verdictOf(), 'impossible');
});

test('the operations of an answer that comes twice, or after a failure, are a defect of the test', () => {
  const log = new OperationLog<ListInput, ListOutput>();
  const call = log.call({ kind: 'read' });
  call.answered({ kind: 'count', length: 0 });
  assert.throws(() => call.answered({ kind: 'count', length: 0 }), /ends once/);
  assert.throws(() => call.failed(), /has not failed/);
});

/** All orders of all subsets that hold every answered operation: slow, and plain enough to be believed. */
function isPossible<State, Input, Output>(
  model: Model<State, Input, Output>,
  operations: readonly Operation<Input, Output>[],
  state: State = model.start,
): boolean {
  const answers = operations.flatMap(({ answer }) => (answer === undefined ? [] : [answer.at]));
  if (answers.length === 0) return true;
  const firstAnswer = Math.min(...answers);
  return operations.some((operation, at) => {
    if (operation.calledAt > firstAnswer) return false;
    const after = model.step(state, operation.input, operation.answer?.output);
    const others = operations.filter((_, other) => other !== at);
    return after !== undefined && isPossible(model, others, after);
  });
}

test('on short histories of any kind it agrees with a search through all orders', () => {
  const counts = { linearizable: 0, impossible: 0, unknown: 0 };
  for (let seed = 1; seed <= 20_000; seed++) {
    const operations = anyRegisterHistory(makePrng(seed));
    const { kind } = checkLinearizable(registerModel, operations);
    const expected = isPossible(registerModel, operations) ? 'linearizable' : 'impossible';
    assert.equal(kind, expected, `seed ${seed}: ${JSON.stringify(operations)}`);
    const withHints = checkLinearizable(registerModelFor(operations), operations);
    assert.equal(withHints.kind, expected, `hints, seed ${seed}: ${JSON.stringify(operations)}`);
    counts[kind]++;
  }
  assert.ok(counts.linearizable > 2000 && counts.impossible > 2000, JSON.stringify(counts));
});

/** Up to six operations at any moments, with answers that may be right. */
function anyRegisterHistory(chance: Prng): Operation<RegisterInput, RegisterOutput>[] {
  const moments = shuffled(chance, 12);
  return Array.from({ length: 1 + chance.below(6) }, (_, at) => {
    const [calledAt, answeredAt] = moments.slice(2 * at, 2 * at + 2).sort((a, b) => a - b);
    const value = 'ab'[chance.below(2)]!;
    const version = chance.below(3);
    const input = [put(value), compareAndSet(version, value), get, get][chance.below(4)]!;
    const output =
      input.kind === 'get' ? got(version, version === 0 ? undefined : value) : anyChange();
    const answer = chance.below(4) === 0 ? undefined : { at: answeredAt!, output };
    return { input, calledAt: calledAt!, answer };

    function anyChange(): RegisterOutput {
      return input.kind === 'compareAndSet' && chance.below(2) === 0
        ? conflict
        : changed(version + 1);
    }
  });
}

function shuffled(chance: Prng, count: number): number[] {
  const all = Array.from({ length: count }, (_, at) => at + 1);
  for (let at = count - 1; at > 0; at--) {
    const other = chance.below(at + 1);
    [all[at], all[other]] = [all[other]!, all[at]!];
  }
  return all;
}

/** What a client of the simulated list does at each of its steps. */
interface Attempt {
  readonly call: { answered(output: ListOutput): void };
  readonly token: string | undefined;
  output: ListOutput | undefined;
}

/** A history of clients on a real list: each operation takes effect at once, between its call and its answer. */
function realHistory(chance: Prng, steps: number) {
  const model = new ListModel();
  const log = new OperationLog<ListInput, ListOutput>(new Moments());
  const tokens: string[] = [];
  const open: Attempt[] = [];
  const acknowledged: string[] = [];
  for (let step = 0; step < steps; step++) {
    if (open.length < 1 + chance.below(8)) {
      const token = chance.below(2) === 0 ? `t${step}` : undefined;
      const call = log.call(token === undefined ? { kind: 'read' } : { kind: 'append', token });
      open.push({ call, token, output: undefined });
      continue;
    }
    const at = chance.below(open.length);
    const attempt = open[at]!;
    if (attempt.output === undefined) {
      if (attempt.token !== undefined) tokens.push(attempt.token);
      attempt.output =
        attempt.token === undefined
          ? { kind: 'list', list: model.listOf(tokens) }
          : { kind: 'appended', length: tokens.length };
    } else {
      open.splice(at, 1);
      // Now and then the answer is lost.
      if (chance.below(10) === 0) continue;
      attempt.call.answered(attempt.output);
      if (attempt.token !== undefined) acknowledged.push(attempt.token);
    }
  }
  return { model, log, tokens, acknowledged };
}

test('histories of clients on a real list are found linearizable, however long', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const { model, log } = realHistory(makePrng(seed), 30 * seed);
    const { kind } = checkLinearizable(model, log.operations);
    assert.equal(kind, 'linearizable', `seed ${seed}`);
  }
});

test('the same histories with one lie at the end are found impossible', () => {
  const lies: ReadonlyArray<(tokens: readonly string[], chance: Prng) => string[]> = [
    // The last acknowledged token is lost: a stale read.
    (tokens) => tokens.slice(0, -1),
    (tokens, chance) => without(tokens, chance.below(tokens.length)),
    (tokens, chance) => [...tokens, tokens[chance.below(tokens.length)]!],
    (tokens, chance) => swapped(tokens, chance.below(tokens.length - 1)),
  ];
  for (let seed = 1; seed <= 60; seed++) {
    const chance = makePrng(seed);
    const { model, log, tokens, acknowledged } = realHistory(chance, 100 + 10 * seed);
    // What an open append did may be shown or not: only what was acknowledged makes a lie of it.
    const told = tokens.slice(0, tokens.lastIndexOf(acknowledged.at(-1)!) + 1);
    const lie = lies[seed % lies.length]!(told, chance);
    log.call({ kind: 'read' }).answered({ kind: 'list', list: model.listOf(lie) });
    const { kind } = checkLinearizable(model, log.operations);
    assert.equal(kind, 'impossible', `seed ${seed}: ${told} shown as ${lie}`);
  }
});

function without(tokens: readonly string[], at: number): string[] {
  return tokens.filter((_, other) => other !== at);
}

function swapped(tokens: readonly string[], at: number): string[] {
  const copy = [...tokens];
  [copy[at], copy[at + 1]] = [copy[at + 1]!, copy[at]!];
  return copy;
}

test('a register of one client at a time has no stale value', () => {
  const start: Register = registerModel.start;
  assert.equal(registerModel.step(start, get, got(1, 'a')), undefined);
  assert.deepEqual(registerModel.step(start, put('a'), undefined), { version: 1, value: 'a' });
});
