// What a set of runs amounts to.

import { Coverage } from './coverage.js';
import { FAULT_KINDS } from './faults/fault.js';
import type { Outcome } from './one-run.js';
import { commandOf, type PlanChanges } from './plan.js';

export class Report {
  readonly coverage = new Coverage();
  readonly failed: Outcome[] = [];
  readonly #startedMs: number;
  #runs = 0;
  #events = 0;
  #accepted = 0;
  #virtualMs = 0;
  #cpuMs = 0;

  /** `startedMs`: when the first run began, by `performance.now()`. */
  constructor(startedMs = performance.now()) {
    this.#startedMs = startedMs;
  }

  add(outcome: Outcome): void {
    const { result, coverage, cpuMs } = outcome;
    this.#runs++;
    this.#cpuMs += cpuMs;
    this.coverage.add(coverage);
    if (result === undefined) {
      this.failed.push(outcome);
      return;
    }
    this.#events += result.events;
    this.#accepted += result.accepted;
    this.#virtualMs += result.tookMs;
  }

  toJSON() {
    const wallMs = performance.now() - this.#startedMs;
    return {
      runs: this.#runs,
      failed: this.failed.map(({ seed, failure }) => ({ seed, message: failure!.message })),
      events: this.#events,
      accepted: this.#accepted,
      virtualSeconds: Math.round(this.#virtualMs / 1000),
      cpuSeconds: Math.round(this.#cpuMs / 1000),
      seedsPerSecond: Number((this.#runs / (wallMs / 1000)).toFixed(2)),
      injected: Object.fromEntries(
        FAULT_KINDS.map((kind) => [kind, this.coverage.of(injectedOf(kind))]),
      ),
      coverage: this.coverage.toJSON(),
    };
  }

  /** For people. */
  lines(): string[] {
    const counts = this.#counts().map(([what, times]) => `${String(times).padStart(9)}  ${what}`);
    return [...counts, ...this.#summary()];
  }

  /** The same as a part of a Markdown page; `what` names the runs. */
  markdown(what: string): string[] {
    const row = ([name, times]: readonly [string, number]): string => `| ${name} | ${times} |`;
    return [
      `**${what}.**`,
      ...this.#summary(),
      '',
      '| what was seen | times |',
      '| --- | --- |',
      ...this.#counts().map(row),
    ];
  }

  #counts(): Array<[string, number]> {
    const all = Object.entries(this.coverage.toJSON());
    return all.filter(([what]) => !what.startsWith(INJECTED));
  }

  #summary(): string[] {
    const { runs, failed, events, accepted, virtualSeconds, cpuSeconds, seedsPerSecond, injected } =
      this.toJSON();
    const kinds = Object.entries(injected).map(([kind, times]) => `${kind} ${times}`);
    const failures = failed.map(({ seed, message }) => `seed ${seed}: ${message.split('\n')[0]}`);
    return [
      `${runs} runs, ${failed.length} failed: ${virtualSeconds} s of virtual time in ${cpuSeconds} s of CPU ` +
        `(${seedsPerSecond} runs a second), ${events} events, ${accepted} appends accepted.`,
      `Faults injected: ${kinds.join(', ')}.`,
      ...failures,
    ];
  }
}

const INJECTED = 'injected: ';

/** Counts faults of a kind that were injected, whatever they were. */
export function injectedOf(kind: string): string {
  return `${INJECTED}${kind}`;
}

/** All that is known of a run that failed, and how to repeat it. */
export function failureLines(
  { seed, plan, failure }: Outcome,
  { commit, changes }: { readonly commit: string; readonly changes: PlanChanges },
): string[] {
  const again = commandOf(seed, changes);
  return [
    ...failure!.lines,
    `seed ${seed} failed at commit ${commit}`,
    `plan: ${JSON.stringify(plan)}`,
    failure!.stack,
    `again: ${again} --trace    smaller: ${again} --shrink`,
  ];
}
