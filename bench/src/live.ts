// Live copies in a client: how fast they are read, and what a keystroke in a large document costs on the wire.

import { makePrng } from '@deltabase/base';
import type { Client, LiveDocument } from '@deltabase/client';
import { groupOf } from '@deltabase/machine';
import type { ProcessCluster } from '@deltabase/testkit';
import { exampleModule, sleep, withBenchCluster, withClient } from './bench-cluster.js';
import {
  type BenchContext,
  type Benchmark,
  checksumOf,
  type Measured,
  required,
  round,
} from './harness.js';

interface Plan {
  /** Characters of the large text; its state has some twice as many bytes. */
  readonly characters: number;
  readonly keystrokes: number;
  readonly readMs: number;
}

const FULL: Plan = { characters: 7_300_000, keystrokes: 500, readMs: 2000 };
const SMOKE: Plan = { characters: 20_000, keystrokes: 20, readMs: 100 };
const SPACE = 'text';
/** Characters of one message while a text is made. */
const PART = 1000;
const SMALL = 1000;
const READS_MIN = 1_000_000;
const WIRE_MAX = 1.2;

export const liveCopies: Benchmark = {
  name: 'live',
  question:
    'How fast is a live copy read, and what does a keystroke in a document of 10 MB cost it?',
  workload:
    'Texts (examples/text), one small and one whose state has 10 MB. A client holds a live copy of each; another one inserts single characters at random places, one after the ' +
    'other. Bytes: what the leader sent to clients, the answers to the writer among them. Reads: of one chunk of the text at a random pointer, in one process.',
  doesNotShow: 'Copies in a browser.',
  async run(context: BenchContext): Promise<Measured> {
    const plan = context.smoke ? SMOKE : FULL;
    return withBenchCluster({}, async ({ cluster, client }) => {
      await client.machines.deploy(SPACE, await exampleModule(SPACE));
      const small = await measure(cluster, client, { plan, key: 'small', characters: SMALL });
      context.progress(describe(small));
      const { characters } = plan;
      const large = await measure(cluster, client, { plan, key: 'large', characters });
      context.progress(describe(large));
      return {
        columns: [
          'bytes of state',
          'ms until it is live',
          'bytes on the wire a keystroke',
          'of them patch',
          'ms until a keystroke is in the copy',
          'local reads/s',
        ],
        rows: [small, large].map((one) => [
          one.stateBytes.toLocaleString('en-US'),
          round(one.openMs),
          round(one.wireBytes),
          round(one.patchBytes),
          round(one.reachMs),
          Math.round(one.readsPerSecond).toLocaleString('en-US'),
        ]),
        notes: [
          required(context, {
            what: 'local reads a second of the large document',
            is: 'at least',
            limit: READS_MIN,
            measured: large.readsPerSecond,
            unit: '',
          }),
          required(context, {
            what: 'bytes a keystroke in the large document, as a multiple of those in the small one,',
            is: 'at most',
            limit: WIRE_MAX,
            measured: large.wireBytes / small.wireBytes,
            unit: ' times',
          }),
        ],
        checksum: checksumOf(small.hash, large.hash),
      };
    });
  },
};

interface Outcome {
  readonly stateBytes: number;
  readonly openMs: number;
  readonly wireBytes: number;
  readonly patchBytes: number;
  readonly reachMs: number;
  readonly readsPerSecond: number;
  readonly hash: string;
}

async function measure(
  cluster: ProcessCluster,
  writer: Client,
  {
    plan,
    key,
    characters,
  }: { readonly plan: Plan; readonly key: string; readonly characters: number },
): Promise<Outcome> {
  await write(writer, key, characters);
  return withClient(cluster, async (reader) => {
    const startMs = performance.now();
    const live = await reader.live<{ text: Record<string, Record<string, string>> }>(SPACE, key);
    const openMs = performance.now() - startMs;
    const typed = await type(cluster, writer, live, { plan, characters });
    const { hash } = await writer.document(SPACE, key).get({ pointer: '/lengths' });
    if (live.hash !== hash) throw new Error('the live copy is not the document');
    if (live.mismatches > 0) throw new Error('a step did not fit the live copy');
    const stateBytes = Buffer.byteLength(JSON.stringify(live.value));
    const readsPerSecond = readFast(live, plan.readMs);
    live.close();
    return { stateBytes, openMs, readsPerSecond, hash, ...typed };
  });
}

/** Makes a text of so many characters. */
async function write(writer: Client, key: string, characters: number): Promise<void> {
  const random = makePrng(1);
  const document = writer.document(SPACE, key);
  const sends: Promise<unknown>[] = [];
  for (let at = 0; at < characters; at += PART) {
    const text = Array.from({ length: Math.min(PART, characters - at) }, () =>
      String.fromCharCode(97 + random.below(26)),
    ).join('');
    sends.push(document.send('insert', { at, text }, { deadlineMs: 600_000 }));
    if (sends.length >= 64) await Promise.all(sends.splice(0));
  }
  await Promise.all(sends);
}

/** Types single characters, each once the one before is in the live copy. */
async function type(
  cluster: ProcessCluster,
  writer: Client,
  live: LiveDocument,
  { plan, characters }: { readonly plan: Plan; readonly characters: number },
): Promise<Pick<Outcome, 'wireBytes' | 'patchBytes' | 'reachMs'>> {
  const random = makePrng(2);
  const document = writer.document(SPACE, live.key);
  // What the state's last pieces cost is not of a keystroke.
  await sleep(500);
  const sentBefore = await bytesSent(cluster, writer, live.key);
  const firstSeq = live.seq + 1;
  let reachMs = 0;
  for (let count = 0; count < plan.keystrokes; count++) {
    const startMs = performance.now();
    const { seq } = await document.send('insert', { at: random.below(characters), text: 'x' });
    await live.reach(seq);
    reachMs += performance.now() - startMs;
  }
  const sent = (await bytesSent(cluster, writer, live.key)) - sentBefore;
  let patchBytes = 0;
  for await (const { patch } of document.history({ from: firstSeq })) {
    patchBytes += JSON.stringify(patch).length;
  }
  const { keystrokes } = plan;
  return {
    wireBytes: sent / keystrokes,
    patchBytes: patchBytes / keystrokes,
    reachMs: reachMs / keystrokes,
  };
}

/** What the leader of a document has sent to clients. */
async function bytesSent(cluster: ProcessCluster, client: Client, key: string): Promise<number> {
  const group = groupOf(SPACE, key, cluster.groups);
  for (const report of await client.cluster.nodes()) {
    if (report.kind !== 'status') throw new Error(`${report.address} does not answer`);
    const { groups, counters } = report.status;
    const role = groups.find((each) => each.group === group)?.role;
    if (role === 'leader' && counters !== null) return counters.clientBytesSent;
  }
  throw new Error('the document has no leader');
}

/** Reads chunks of the text at random pointers for a while; reads a second. */
function readFast(
  live: LiveDocument<{ text: Record<string, Record<string, string>> }>,
  ms: number,
): number {
  const random = makePrng(3);
  const groups = Object.entries(live.value.text);
  const pointers = Array.from({ length: 500 }, () => {
    const [group, chunks] = groups[random.below(groups.length)]!;
    const names = Object.keys(chunks);
    return `/text/${group}/${names[random.below(names.length)]!}`;
  });
  const startMs = performance.now();
  let reads = 0;
  let characters = 0;
  while (performance.now() - startMs < ms) {
    for (const pointer of pointers) characters += live.get<string>(pointer)!.length;
    reads += pointers.length;
  }
  if (characters === 0) throw new Error('nothing was read');
  return (reads * 1000) / (performance.now() - startMs);
}

function describe({ stateBytes, wireBytes, readsPerSecond }: Outcome): string {
  return `${stateBytes} bytes: ${round(wireBytes)} bytes a keystroke, ${Math.round(readsPerSecond)} local reads/s`;
}
