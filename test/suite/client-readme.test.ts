// The client's README runs: its JavaScript, piece after piece, as one program on a real cluster.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { connectAndDeploy, withCluster } from '../src/scratch.js';
import { ROOT, readText } from '../src/workspace.js';

const README = 'packages/sdk/client/README.md';
const ADDRESS = "['127.0.0.1:7410']";

test('what the README of the client says to write does what it says', {
  timeout: 120_000,
}, async () => {
  const pieces = [...readText(README).matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code!);
  assert.ok(pieces.length >= 8 && pieces[0]!.includes(ADDRESS));
  await withCluster({}, async (cluster) => {
    const client = await connectAndDeploy(cluster.addresses, 'counter');
    await client.close();
    const program = pieces.join('\n').replace(ADDRESS, JSON.stringify(cluster.addresses));
    const checks = `
console.log(JSON.stringify({ seq, reply, value, n, before: before.value, last: answers.at(-1).seq,
  kinds: outcomes.map(({ kind }) => kind), machines: machines.length, nodes: nodes.length }));`;
    // Below the workspace, where it finds the package.
    const file = join(ROOT, 'test', 'dist', `readme-${process.pid}.mjs`);
    await writeFile(file, program + checks);
    try {
      const { stdout } = await promisify(execFile)(process.execPath, [file]);
      const lines = stdout.trimEnd().split('\n');
      assert.equal(lines[0], '`by` must be a whole number');
      assert.equal(lines[1], '102 { n: 103 }', 'the state that the watch begins with');
      assert.deepEqual(JSON.parse(lines.at(-1)!), {
        ...{ seq: 1, reply: 2, value: { n: 103 }, n: 103, before: { n: 2 } },
        ...{ last: 101, kinds: ['accepted', 'failed'], machines: 1, nodes: 3 },
      });
      assert.match(stdout, /^103 \[ \{ op: 'replace', path: '\/n', value: 104 \} \] add$/m);
      assert.match(stdout, /^104 -> 114$/m, 'what the live copy was told');
    } finally {
      await rm(file);
    }
  });
});
