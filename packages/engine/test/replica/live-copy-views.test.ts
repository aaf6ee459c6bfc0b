// Views of a live copy: they follow what the copy takes, delta by delta, and begin anew where it does.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodePiece, filterOf, hashText, pieces, toJson } from '@deltabase/delta';
import { LiveCopy } from '../../src/replica/live-copy.js';
import { DocumentViews } from '../../src/streams/document-views.js';
import { KeptSteps } from '../../src/streams/kept-steps.js';
import { makeCounters, tailOf } from '../support/history.js';

const HISTORY = makeCounters(100);
const DELTAS = tailOf(HISTORY);

function giveState(copy: LiveCopy, seq: number): void {
  const { root } = HISTORY[seq - 1]!;
  const [piece] = [...pieces(root, 10_000)].map(encodePiece);
  assert.equal(copy.takePiece(seq, piece!, hashText(root)), 'taken');
}

test('a view of a live copy has a step for each delta that touches it, and none across a state', () => {
  const copy = new LiveCopy('log', 'a', 10_000);
  giveState(copy, 50);
  const steps = new KeptSteps(10_000);
  const composedBytesMax = 1000;
  const views = new DocumentViews({ local: copy, steps, composedBytesMax, progressed: () => {} });
  const line = views.open(filterOf(['/n3']));
  line.wantsEach(true);
  for (let seq = 51; seq <= 64; seq++) assert.equal(copy.takeDelta(DELTAS[seq - 1]!), 'taken');
  const first = line.stepFrom(51);
  assert.ok(first !== undefined && first !== 'anew');
  assert.deepEqual([first.fromSeq, first.seq], [50, 53]);
  const second = line.stepFrom(53);
  assert.ok(second !== undefined && second !== 'anew');
  assert.deepEqual([second.fromSeq, second.seq], [53, 63]);
  giveState(copy, 80);
  assert.equal(line.stepFrom(64), undefined, 'what lies between is not known');
  assert.deepEqual([line.span.seq, toJson(line.span.view)], [80, { n3: 73 }]);
  for (let seq = 81; seq <= 84; seq++) copy.takeDelta(DELTAS[seq - 1]!);
  assert.deepEqual([views.seq, toJson(line.span.view)], [84, { n3: 83 }]);
  // The cluster has lost what it had said.
  giveState(copy, 60);
  assert.deepEqual([views.seq, line.span.seq, toJson(line.span.view)], [60, 60, { n3: 53 }]);
});
