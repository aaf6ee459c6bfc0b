import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '../src/scratch.js';
import {
  isAlive,
  runShell,
  type StartPlace,
  StartRun,
  shellLinesOf,
  withStartPlace,
} from '../src/start-run.js';

const SCRIPT = 'exec node scripts/start.mjs';
const READY = 'Ctrl-C stops it';
const options = { timeout: 120_000 };

/** Runs a start to its end; nothing of it is left, whatever happens. */
async function withStart(
  command: string,
  place: StartPlace,
  use: (run: StartRun) => Promise<void>,
): Promise<void> {
  const run = new StartRun(command, place);
  try {
    await use(run);
  } finally {
    await run.end();
  }
}

function assertGone(pids: readonly number[]): void {
  assert.deepEqual(pids.filter(isAlive), [], 'processes of nodes are left');
}

test(
  'npm start -- --once plays the tour to its end, and a second one goes on from its data',
  options,
  () =>
    withStartPlace(async (place) => {
      await withStart('npm start -- --once', place, async (first) => {
        assert.equal(await first.ended, 0, first.stderr);
        assert.match(first.stdout, /3 nodes are up, with equal copies of all 17 groups/);
        assert.match(first.stdout, /seq 3 {2}5\n/, 'the third message and its answer');
        assert.match(
          first.stdout,
          /\| seq 3 .* add {"by":-2}\n(.*\n)? *\| +replace \/n 5\n/,
          'its delta',
        );
        assert.match(first.stdout, /seat 1-2 is sold \(REJECTED\)/);
        assert.match(first.stdout, /deltas .* counter\/visits@3/, 'the log');
        for (const name of ['counter', 'queue', 'seats', 'tally-c', 'text']) {
          assert.match(first.stdout, new RegExp(`${name} +1 .* deployed`));
        }
        assert.doesNotMatch(first.stdout, /earlier start/);
        assert.equal(first.nodes.length, 3);
        assertGone(first.nodes);
      });
      await withStart('npm start -- --once', place, async (second) => {
        assert.equal(await second.ended, 0, second.stderr);
        assert.match(
          second.stdout,
          /data of one earlier start is here: counter\/visits goes on from 5\./,
        );
        assert.match(second.stdout, /seq 6 {2}10\n/);
        assert.match(second.stdout, /counter +1 .* is there/);
        assert.doesNotMatch(second.stdout, /deployed/);
        assertGone(second.nodes);
      });
    }),
);

test(
  'what the README and npm start say to try works, a killed node comes back, Ctrl-C stops all',
  options,
  () =>
    withStartPlace(async (place) => {
      const [start, ...inReadme] = await shellLinesOf('README.md', 'Try it');
      await withStart(start!, place, async (run) => {
        await run.shows(READY);
        const said = [...run.stdout.matchAll(/^ {2}(npx deltabase .*?) +# /gm)].map(
          (match) => match[1]!,
        );
        assert.ok(said.length > 4 && inReadme.length > 2);
        const env = { DELTABASE_ADDRESS: /DELTABASE_ADDRESS=(\S+)/.exec(run.stdout)![1]! };
        for (const command of [...said, ...inReadme].filter(endsByItself)) {
          const { code, printed } = await runShell(command, env);
          assert.equal(code, 0, `${command}: ${printed}`);
          assert.notEqual(printed, '', command);
        }
        process.kill(run.nodes[2]!, 'SIGKILL');
        await run.shows(/Node 3 \(process \d+\) ended by SIGKILL/);
        await run.shows(/Node 3 is started again/);
        const again = Number(/started again \(process (\d+)\)/.exec(run.stdout)![1]);
        await until('node 3 is back', async () =>
          /3 of 3 nodes answer/.test((await runShell('npx deltabase status', env)).printed),
        );
        run.signal('SIGINT');
        await run.ended;
        assert.match(run.stdout, /Stopped\. The next start goes on from/);
        assertGone([...run.nodes, again]);
        assert.ok(!existsSync(join(place.data, 'run.json')));
      });
    }),
);

/** Not what goes on for ever, and not this very command. */
function endsByItself(command: string): boolean {
  return !/deltabase (watch|log tail)|^npm test/.test(command);
}

test('a second Ctrl-C ends it at once', options, () =>
  withStartPlace((place) =>
    withStart(SCRIPT, place, async (run) => {
      await run.shows(READY);
      // A node that does not stop.
      process.kill(run.nodes[0]!, 'SIGSTOP');
      run.signal('SIGINT');
      await run.shows('Stopping the nodes');
      const atMs = performance.now();
      await until('it is another Ctrl-C', () => performance.now() - atMs > 600);
      run.signal('SIGINT');
      assert.equal(await run.ended, 130);
      await until('the nodes end', () => !run.nodes.some(isAlive));
    }),
  ),
);

test('SIGTERM during the tour stops it, and it does not count as played', options, () =>
  withStartPlace((place) =>
    withStart(`${SCRIPT} --once`, place, async (run) => {
      await run.shows('Messages, and a watch');
      run.signal('SIGTERM');
      assert.equal(await run.ended, 143);
      assertGone(run.nodes);
    }),
  ),
);

test('no node outlives a start that is killed, and the next one waits for them', options, () =>
  withStartPlace((place) =>
    withStart(SCRIPT, place, async (killed) => {
      await killed.shows(READY);
      killed.signal('SIGKILL');
      await withStart(`${SCRIPT} --once`, place, async (next) => {
        assert.equal(await next.ended, 0, next.stderr);
        assert.match(next.stdout, /Waiting for the nodes of an earlier start/);
        assertGone(killed.nodes);
      });
    }),
  ),
);

test(
  'a start beside another says what to do; one Ctrl-C that comes twice, as from npm, stops in order',
  options,
  () =>
    withStartPlace((place) =>
      withStart(SCRIPT, place, async (run) => {
        await run.shows(READY);
        await withStart(SCRIPT, place, async (second) => {
          assert.equal(await second.ended, 5);
          assert.match(
            second.stderr,
            /runs already with this data .* --data DIRECTORY --port PORT/,
          );
        });
        const other = { ...place, data: join(place.data, 'other') };
        await withStart(SCRIPT, other, async (second) => {
          assert.equal(await second.ended, 5);
          assert.match(second.stderr, new RegExp(`port ${place.port} is in use .* --port \\d+`));
        });
        run.signal('SIGINT');
        run.signal('SIGINT');
        assert.equal(await run.ended, 0);
        assert.match(run.stdout, /Stopped\./);
        assertGone(run.nodes);
        for (const node of [1, 2, 3]) {
          const log = await readFile(join(place.data, `node-${node}.log`), 'utf8');
          assert.match(log, /"msg":"stopped"}\n$/, `node ${node} was stopped in order`);
        }
      }),
    ),
);

test('a node that cannot run ends the start, which shows the end of its log', options, () =>
  withStartPlace(async (place) => {
    await mkdir(join(place.data, 'node-2'));
    await writeFile(join(place.data, 'node-2', 'store'), 'in the way');
    await withStart(`${SCRIPT} --once`, place, async (run) => {
      assert.notEqual(await run.ended, 0);
      assert.match(
        run.stderr,
        /node 2 ended with exit code \d+\. The end of its log, .*node-2\.log:\n {2}.*\w/,
      );
      assertGone(run.nodes);
    });
  }),
);
