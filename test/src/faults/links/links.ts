// Links between nodes that lose, delay, slow down or break what goes over them, in one direction or both, through
// proxies. As long as two nodes understand each other, a cluster of three must go on.

import { type Flow, type Link, LinkMesh, type ProcessCluster } from '@deltabase/testkit';
import { sleep, withCluster } from '../../scratch.js';
import { type TokenLoad, underTokenLoad } from '../../token-load.js';
import type { FaultCase, FaultContext } from '../fault-case.js';
import { oneOf, told } from '../telling.js';

const CUT: Flow = { isCut: true };

export const links: FaultCase = {
  name: 'links',
  what: 'what nodes say to each other is lost, late, slow or cut off, in one direction or in both',
  async run(context) {
    const mesh = new LinkMesh();
    try {
      return await withCluster({ groups: 4, reach: mesh.reach }, async (cluster) => {
        const { random } = context;
        const { result, report } = await underTokenLoad(
          cluster,
          { random, writers: 16 },
          async (load) => {
            for (let round = 0; context.again(round, TROUBLES.length); round++) {
              await load.progressed(50, 60_000);
              await meet(TROUBLES[round % TROUBLES.length]!, { mesh, cluster, load, context });
            }
            await load.progressed(50, 60_000);
            return `${mesh.bytes} bytes went over links in trouble`;
          },
        );
        return told(result, report);
      });
    } finally {
      await mesh.close();
    }
  },
};

interface Trouble {
  readonly what: string;
  readonly flow: Flow;
  /** The links that are in trouble, of nodes in any order. */
  links(nodes: Trio): readonly Link[];
  /** Whether the cluster goes on meanwhile. Else it lasts for so long, ms. */
  readonly lasts: 'until others went on' | number;
}

/** Three nodes by their ids, drawn anew for each trouble. */
type Trio = readonly [a: number, b: number, c: number];

const both = (a: number, b: number): Link[] => [
  { from: a, to: b },
  { from: b, to: a },
];

const all = ([a, b, c]: Trio): Link[] => [...both(a, b), ...both(b, c), ...both(a, c)];

const TROUBLES: readonly Trouble[] = [
  {
    what: 'one node does not hear another one',
    flow: CUT,
    links: ([a, b]) => [{ from: a, to: b }],
    lasts: 'until others went on',
  },
  {
    what: 'one node hears nobody, and is heard',
    flow: CUT,
    links: ([a, b, c]) => [
      { from: b, to: a },
      { from: c, to: a },
    ],
    lasts: 'until others went on',
  },
  {
    what: 'one node hears the others, and nobody hears it',
    flow: CUT,
    links: ([a, b, c]) => [
      { from: a, to: b },
      { from: a, to: c },
    ],
    lasts: 'until others went on',
  },
  {
    what: 'two nodes are cut off from each other, and the third from nobody',
    flow: CUT,
    links: ([a, b]) => both(a, b),
    lasts: 'until others went on',
  },
  { what: 'nobody hears anybody', flow: CUT, links: all, lasts: 2000 },
  {
    what: 'everything is late',
    flow: { delayMs: 60 },
    links: all,
    lasts: 'until others went on',
  },
  {
    what: 'one node is on a slow line',
    flow: { bytesPerSecond: 20_000, delayMs: 20 },
    links: ([a, b, c]) => [...both(a, b), ...both(a, c)],
    lasts: 'until others went on',
  },
];

/** Breaks of connections while a trouble lasts, and while nothing else does. */
const RESETS = 5;

interface Scene {
  readonly mesh: LinkMesh;
  readonly cluster: ProcessCluster;
  readonly load: TokenLoad;
  readonly context: FaultContext;
}

async function meet(trouble: Trouble, { mesh, cluster, load, context }: Scene): Promise<void> {
  const { random, progress } = context;
  const trio = drawTrio(cluster, context);
  const troubled = trouble.links(trio);
  for (const link of troubled) mesh.set(link, trouble.flow);
  if (trouble.lasts === 'until others went on') await load.progressed(100, 60_000);
  else await sleep(trouble.lasts);
  mesh.heal();
  for (let reset = 0; reset < RESETS; reset++) {
    mesh.reset(oneOf(all(trio), random));
    await load.progressed(10, 60_000);
  }
  progress(`${trouble.what} (${troubled.map(({ from, to }) => `${from} to ${to}`).join(', ')})`);
}

function drawTrio({ nodes }: ProcessCluster, { random }: FaultContext): Trio {
  const ids = nodes.map(({ id }) => id);
  const draw = (): number => ids.splice(random.below(ids.length), 1)[0]!;
  return [draw(), draw(), draw()];
}
