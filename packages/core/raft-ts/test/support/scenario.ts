// A small language for golden scenarios. A line that begins with `>` is a command; the lines below it that are
// indented are what it led to. Everything else is for people. The commands are the methods of `COMMANDS`.

import assert from 'node:assert/strict';
import { LEAVE_JOINT } from '../../src/conf-change.js';
import { isRaftError } from '../../src/errors.js';
import type { Message } from '../../src/message.js';
import type { NodeId } from '../../src/types.js';
import {
  describeConf,
  describeEntry,
  describeMessage,
  describePeer,
  describeReady,
  describeStatus,
  parseNodeChange,
} from './describe.js';
import { bytesOf, NO_DATA, textOf } from './entries.js';
import { type HostConfig, type HostOptions, TestHost } from './host.js';

/** The text of a scenario with the output that its commands lead to now. */
export function runScenario(text: string): string {
  const scenario = new Scenario();
  const lines: string[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('  ')) continue;
    lines.push(line);
    if (line.startsWith('> ')) {
      lines.push(...scenario.run(line.slice(2)).map((output) => `  ${output}`));
    }
  }
  return lines.join('\n');
}

class Scenario {
  readonly hosts = new Map<NodeId, TestHost>();
  /** Messages that have left and were not delivered yet. */
  waiting: Message[] = [];
  /** Links that lose what goes that way, as `from>to`. */
  readonly cut = new Set<string>();
  #output: string[] = [];
  #random = 0;

  run(line: string): string[] {
    this.#output = [];
    const [name = '', ...words] = line.trim().split(/ +/);
    const command = COMMANDS[name];
    assert.ok(command, `there is no command ${name}`);
    try {
      command(this, words);
    } catch (thrown) {
      if (!isRaftError(thrown, 'ProposalDropped') && !isRaftError(thrown, 'StorageInvalid')) {
        throw thrown;
      }
      this.say(`${thrown.code}: ${thrown.message}`);
    }
    return this.#output.length > 0 ? this.#output : ['ok'];
  }

  say(...lines: readonly string[]): void {
    this.#output.push(...lines);
  }

  host(word: string | undefined): TestHost {
    const host = this.hosts.get(Number(word));
    assert.ok(host, `there is no node ${word}`);
    return host;
  }

  add(id: NodeId, options: HostOptions): void {
    const host = new TestHost(
      id,
      {
        // Timeouts that differ, in turn: 10, 13, 16, ...
        random: (bound) => (3 * this.#random++) % bound,
        trace: (line) => this.say(line),
        ...options,
      },
      {
        sent: (message) => this.waiting.push(message),
        applied: (entry) => {
          this.say(`${id} applies ${describeEntry(entry)}`);
          if (entry.type === 'confChange') this.say(`  ${describeConf(host.confState)}`);
        },
        restored: ({ index }) => this.say(`${id} installs the snapshot at ${index}`),
        read: ({ index, context }) => this.say(`${id} reads ${textOf(context)} at ${index}`),
      },
    );
    this.hosts.set(id, host);
  }

  deliver(message: Message): void {
    const host = this.hosts.get(message.to);
    const isCut = this.cut.has(`${message.from}>${message.to}`);
    const isLost = host === undefined || !host.isUp || isCut;
    this.say(describeMessage(message) + (isLost ? ' (lost)' : ''));
    if (!isLost) host.node.step(message);
  }

  /** Takes the messages that `words` say out of those that wait: `to=2 from=1 type=append count=1 last`. */
  take(words: readonly string[]): Message[] {
    const { to, from, type, count = '1000' } = optionsOf(words);
    const fits = (message: Message) =>
      (to === undefined || message.to === Number(to)) &&
      (from === undefined || message.from === Number(from)) &&
      (type === undefined || message.type === type);
    const all = this.waiting.filter(fits);
    const some = words.includes('last') ? all.slice(-Number(count)) : all.slice(0, Number(count));
    if (!words.includes('copy')) this.waiting = this.waiting.filter((one) => !some.includes(one));
    return words.includes('reversed') ? some.reverse() : some;
  }

  /** Works and delivers until nothing is left to do. */
  settle(): void {
    for (let turns = 0; turns < 1000; turns++) {
      for (const host of this.hosts.values()) if (host.isUp) host.pump();
      if (this.waiting.length === 0) return;
      for (const message of this.take([])) this.deliver(message);
    }
    assert.fail('the cluster does not come to rest');
  }
}

type Command = (scenario: Scenario, words: readonly string[]) => void;

const COMMANDS: Record<string, Command> = {
  /** cluster 1,2,3 [others=4,5] [async] [key=value ...] */
  cluster(scenario, [list = '', ...words]) {
    const { others = '', ...options } = optionsOf(words);
    const voters = numbersOf(list);
    const config = { ...configOf(options, words.includes('async')), voters };
    for (const id of [...voters, ...numbersOf(others)]) scenario.add(id, config);
  },
  /** node 4 1,2,3,4,5 terms=1,1,2 term=3 [async] [key=value ...]: one that has a log to begin with */
  node(scenario, [id, voters = '', ...words]) {
    const { terms = '', term, ...options } = optionsOf(words);
    scenario.add(Number(id), {
      ...configOf(options, words.includes('async')),
      voters: numbersOf(voters),
      terms: numbersOf(terms),
      ...(term === undefined ? {} : { hardState: { term: Number(term) } }),
    });
  },
  campaign: (scenario, [id]) => scenario.host(id).node.campaign(),
  /** tick 1 [count]: nothing is delivered or worked off in between */
  tick(scenario, [id, count = '1']) {
    for (let passed = 0; passed < Number(count); passed++) scenario.host(id).node.tick();
  },
  /** pass 1,2,3 [count]: ticks on all of these, each followed by all that it leads to */
  pass(scenario, [list = '', count = '1']) {
    for (let passed = 0; passed < Number(count); passed++) {
      for (const id of numbersOf(list)) scenario.host(`${id}`).node.tick();
      scenario.settle();
    }
  },
  propose: (scenario, [id, ...texts]) => scenario.host(id).node.propose(...texts.map(bytesOf)),
  /** change 1 [implicit|explicit] +4 ~5 -1 */
  change(scenario, [id, ...words]) {
    const [first] = words;
    const transition = first === 'implicit' || first === 'explicit' ? first : 'auto';
    const changes = words.filter((word) => word !== transition).map(parseNodeChange);
    scenario.host(id).node.proposeConfChange({ transition, changes, context: NO_DATA });
  },
  leave: (scenario, [id]) => scenario.host(id).node.proposeConfChange(LEAVE_JOINT),
  read: (scenario, [id, context = '']) => scenario.host(id).node.readIndex(bytesOf(context)),
  transfer: (scenario, [id, to]) => scenario.host(id).node.transferLeader(Number(to)),
  resign: (scenario, [id]) => scenario.host(id).node.resign(),
  /** abstain 1 on|off */
  abstain: (scenario, [id, what]) => scenario.host(id).node.setAbstains(what === 'on'),
  forget: (scenario, [id]) => scenario.host(id).node.forgetLeader(),
  unreachable: (scenario, [id, peer]) => scenario.host(id).node.reportUnreachable(Number(peer)),
  /** snapshot 1 3 delivered|lost: what the host of 1 says of the one it sent to 3 */
  snapshot(scenario, [id, peer, what]) {
    scenario.host(id).node.reportSnapshot(Number(peer), what === 'delivered');
  },
  /** ready 1: takes a Ready, and leaves the work waiting */
  ready(scenario, [id]) {
    scenario.say(...describeReady(scenario.host(id).take()));
  },
  /** step 1 [thread] [count]: the next steps of the work that waits */
  step(scenario, [id, thread = 'main', count = '1']) {
    assert.ok(thread === 'main' || thread === 'append' || thread === 'apply');
    for (let taken = 0; taken < Number(count); taken++) {
      scenario.say(`${thread}: ${scenario.host(id).run(thread)}`);
    }
  },
  /** work 1 2: all there is to do, without delivering anything */
  work(scenario, ids) {
    for (const id of ids) scenario.host(id).pump();
  },
  /** deliver [to=2] [from=1] [type=append] [count=1] [last] [reversed] [copy] */
  deliver(scenario, words) {
    for (const message of scenario.take(words)) scenario.deliver(message);
  },
  /** drop ...: as deliver */
  drop(scenario, words) {
    for (const message of scenario.take(words)) {
      scenario.say(`${describeMessage(message)} (dropped)`);
    }
  },
  /** cut 1>2 2>1: what goes these ways is lost, from now on; heal: no more */
  cut(scenario, links) {
    for (const link of links) scenario.cut.add(link);
  },
  heal: (scenario) => scenario.cut.clear(),
  /** waiting ...: what would be delivered */
  waiting(scenario, words) {
    scenario.say(...scenario.take([...words, 'copy']).map(describeMessage));
  },
  settle: (scenario) => scenario.settle(),
  /** elect 1: a quiet way to a leader */
  elect(scenario, [id]) {
    const { say } = scenario;
    scenario.say = () => {};
    scenario.host(id).node.campaign();
    scenario.settle();
    scenario.say = say;
    scenario.say(describeStatus(scenario.host(id).node.basicStatus()));
  },
  /** quietly COMMAND: without saying what happens */
  quietly(scenario, [name = '', ...words]) {
    const { say } = scenario;
    scenario.say = () => {};
    COMMANDS[name]!(scenario, words);
    scenario.say = say;
  },
  /** compact 1 [keep] */
  compact: (scenario, [id, keep = '0']) => scenario.host(id).disk.compact(Number(keep)),
  /** crash 1 [kept]: the first so many of the writes that are not synced survive */
  crash: (scenario, [id, kept = '0']) => scenario.host(id).crash(Number(kept)),
  start: (scenario, [id]) => scenario.host(id).start(),
  /** lose 3 5: its disk loses the entries from 5 on, although they were acknowledged; it starts again */
  lose(scenario, [id, index]) {
    scenario.host(id).crash();
    scenario.host(id).disk.loseFrom(Number(index));
    scenario.host(id).start();
  },
  status(scenario, ids) {
    for (const id of ids) {
      scenario.say(`${id}: ${describeStatus(scenario.host(id).node.basicStatus())}`);
    }
  },
  peers(scenario, [id]) {
    scenario.say(...scenario.host(id).node.status().progress.map(describePeer));
  },
  conf(scenario, ids) {
    for (const id of ids) scenario.say(`${id}: ${describeConf(scenario.host(id).confState)}`);
  },
  /** log 1: the entries on its disk */
  log(scenario, ids) {
    for (const id of ids) {
      const { disk } = scenario.host(id);
      const entries = disk.entries(disk.firstIndex(), disk.lastIndex() + 1, Infinity);
      scenario.say(`${id}: ${entries.map(describeEntry).join(' ')}`);
    }
  },
};

/** `1,2,3` */
function numbersOf(list: string): number[] {
  return list.split(',').filter(Boolean).map(Number);
}

function optionsOf(words: readonly string[]): Record<string, string> {
  return Object.fromEntries(words.filter((word) => word.includes('=')).map((w) => w.split('=')));
}

/** `preVote=false appendBytesMax=100 readOnly=lease`. */
function configOf(options: Record<string, string>, asyncStorageWrites: boolean): HostConfig {
  const parsed = Object.entries(options).map(([key, value]) => {
    if (value === 'true' || value === 'false') return [key, value === 'true'];
    return [key, Number.isNaN(Number(value)) ? value : Number(value)];
  });
  return { asyncStorageWrites, ...Object.fromEntries(parsed) };
}
