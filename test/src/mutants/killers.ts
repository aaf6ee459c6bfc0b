// A test that fails anyway kills nothing: whatever has noticed a mutant must pass where nothing is broken.

import { passes, type Verdict } from './attempt.js';
import type { Scratch } from './scratch.js';

/** Runs each killer once on mended copies; a mutant whose killer fails there counts as left. */
export async function checkKillers(
  scratches: readonly Scratch[],
  verdicts: Map<string, Verdict>,
): Promise<void> {
  const mutantsOf = new Map<string, { command: readonly string[]; mutants: string[] }>();
  for (const [mutant, verdict] of verdicts) {
    if (verdict.kind === 'left') continue;
    const { command } = verdict;
    const name = command.join(' ');
    const killer = mutantsOf.get(name) ?? { command, mutants: [] };
    killer.mutants.push(mutant);
    mutantsOf.set(name, killer);
  }
  const left = [...mutantsOf.values()];
  const check = async (scratch: Scratch): Promise<void> => {
    await scratch.makeSound();
    for (let killer = left.pop(); killer !== undefined; killer = left.pop()) {
      const { command, mutants } = killer;
      if (await passes(scratch, command)) continue;
      const why = `${command.at(-1)} fails on sound code as well`;
      console.log(why);
      for (const mutant of mutants) verdicts.set(mutant, { kind: 'left', why });
    }
  };
  await Promise.all(scratches.map(check));
}
