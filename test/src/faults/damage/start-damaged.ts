// Starts a node whose files were damaged, and finds out what becomes of it.

import type { ProcessNode } from '@deltabase/testkit';
import type { StoppedPair } from './stopped-pair.js';

/** What became of a damaged node: each of these keeps every promise. */
export type Outcome =
  /** It serves, and everything is right. */
  | 'serves all'
  /** It refused to start, and said why. */
  | 'refuses to start'
  /** It stopped when it read what was damaged. */
  | 'stops by itself';

/** Starts the victim, and if it can be started the other one. Rejects if anything that they have is wrong. */
export async function startDamaged(pair: StoppedPair): Promise<Outcome> {
  const { victim, other } = pair;
  try {
    if (!(await isStarted(victim))) return 'refuses to start';
    await other.start();
    try {
      await pair.check();
      return 'serves all';
    } catch (thrown) {
      if (victim.isUp || (await victim.exited) !== 1 || !hasSaid(victim, /"storage-failed"/)) {
        throw thrown;
      }
      return 'stops by itself';
    }
  } finally {
    await pair.stop();
  }
}

/** `false`: it refused because of its data, in a line that says what to do. Rejects if it ended otherwise. */
async function isStarted(node: ProcessNode): Promise<boolean> {
  try {
    await node.start();
    return true;
  } catch (thrown) {
    const isRefusal = (await node.exited) === 1 && hasSaid(node, /^deltabase: .*replace .* fresh/);
    if (!isRefusal) throw thrown;
    return false;
  }
}

function hasSaid(node: ProcessNode, words: RegExp): boolean {
  return node.log.some((line) => words.test(line));
}
