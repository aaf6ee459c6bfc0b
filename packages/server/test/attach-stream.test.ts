import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { DeltabaseError } from '@deltabase/base';
import { type CopyReport, failure, type OrdersSink, type ReplicaPlace } from '@deltabase/engine';
import { AttachStream } from '../src/services/attach-stream.js';
import { statusOf } from '../src/services/status.js';
import type { Loose } from './support/test-client.js';

const PLACE: ReplicaPlace = { name: 'r1', address: '10.0.0.1:7420' };
const X = { space: 'list', key: 'x' };
const REPORT: CopyReport = {
  ...X,
  ...{ ready: true, readsPerSecond: 1, deliveriesPerSecond: 2, bytesPerSecond: 3 },
};

class Call extends EventEmitter {
  readonly responses: Loose[] = [];
  status: Loose;
  isEnded = false;

  constructor() {
    super();
    this.on('error', (status) => {
      this.status = status;
    });
  }

  write(response: Loose): void {
    this.responses.push(response);
  }

  end(): void {
    this.isEnded = true;
  }
}

function setUp() {
  const call = new Call();
  const told: Loose[] = [];
  const sinks: OrdersSink[] = [];
  const nodes = ['n:1', 'n:2'];
  new AttachStream(call as Loose, {
    registry: {
      attach(place, sink) {
        told.push(place);
        sinks.push(sink);
        return {
          report: (copies) => void told.push(copies),
          detach: () => void told.push('detached'),
        };
      },
    },
    limits: { ordersMax: 2 },
    nodes: () => nodes,
    statusOfThrown(thrown) {
      if (!(thrown instanceof DeltabaseError)) throw thrown;
      return statusOf(thrown);
    },
  });
  const say = (request: Loose): void => {
    call.emit('data', { replica: null, report: null, ...request });
  };
  return { call, told, sinks, nodes, say };
}

test('a replica is attached as it says, told of the nodes, and gets its orders', () => {
  const { call, told, sinks, say } = setUp();
  say({ replica: PLACE });
  assert.deepEqual(told, [PLACE]);
  assert.deepEqual(call.responses, [{ nodes: ['n:1', 'n:2'] }]);
  sinks[0]!.ordered([X], []);
  assert.deepEqual(call.responses[1], { hold: [X], release: [] });
  say({ report: { copies: [REPORT] } });
  assert.deepEqual(told[1], [REPORT]);
});

test('the nodes are told again when they are others', () => {
  const { call, nodes, say } = setUp();
  say({ replica: PLACE });
  say({ report: { copies: [] } });
  assert.equal(call.responses.length, 1);
  nodes.push('n:3');
  say({ report: { copies: [] } });
  assert.deepEqual(call.responses[1], { nodes: ['n:1', 'n:2', 'n:3'] });
});

for (const event of ['cancelled', 'end']) {
  test(`a replica is detached when its stream is over (${event})`, () => {
    const { call, told, say } = setUp();
    say({ replica: PLACE });
    call.emit(event);
    assert.deepEqual(told, [PLACE, 'detached']);
    say({ report: { copies: [] } });
    if (event === 'end') assert.equal(told.length, 2);
  });
}

test('one that is not taken any more is told why', () => {
  const { call, sinks, say } = setUp();
  say({ replica: PLACE });
  sinks[0]!.ended(failure('OVERLOADED', 'too many'));
  assert.equal(call.status.code, 8);
});

const WRONG: Readonly<Record<string, ReadonlyArray<Loose>>> = {
  'a report before the name': [{ report: { copies: [] } }],
  'a name twice': [{ replica: PLACE }, { replica: PLACE }],
  'no name': [{ replica: { ...PLACE, name: '' } }],
  'a name that is none': [{ replica: { ...PLACE, name: 'A/B' } }],
  'an address that is none': [{ replica: { ...PLACE, address: 'here' } }],
  'any port': [{ replica: { ...PLACE, address: 'a:0' } }],
  'too many copies': [{ replica: PLACE }, { report: { copies: [REPORT, REPORT, REPORT] } }],
  'a rate below nothing': [
    { replica: PLACE },
    { report: { copies: [{ ...REPORT, readsPerSecond: -1 }] } },
  ],
  'a rate that is no number': [
    { replica: PLACE },
    { report: { copies: [{ ...REPORT, bytesPerSecond: Number.NaN }] } },
  ],
};

for (const [what, requests] of Object.entries(WRONG)) {
  test(`${what} ends the stream with INVALID_ARGUMENT`, () => {
    const { call, say } = setUp();
    for (const request of requests) {
      assert.equal(call.status, undefined);
      say(request);
    }
    assert.equal(call.status.code, 3);
  });
}
