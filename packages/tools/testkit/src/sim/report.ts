// What a set of runs amounts to.

import { Coverage } from './coverage.js';
import type { Outcome } from './one-run.js';

export class Report {
  readonly coverage = new Coverage();
  readonly failed: Outcome[] = [];
  #runs = 0;
  #events = 0;
  #accepted = 0;
  #virtualMs = 0;
  #cpuMs = 0;

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
    return {
      runs: this.#runs,
      failed: this.failed.map(({ seed, failure }) => ({ seed, message: failure!.message })),
      events: this.#events,
      accepted: this.#accepted,
      virtualSeconds: Math.round(this.#virtualMs / 1000),
      cpuSeconds: Math.round(this.#cpuMs / 1000),
      coverage: this.coverage.toJSON(),
    };
  }

  /** For people. */
  lines(): string[] {
    const { runs, failed, events, accepted, virtualSeconds, cpuSeconds } = this.toJSON();
    const rate = Math.round((events / Math.max(1, this.#cpuMs)) * 1000);
    const counts = Object.entries(this.coverage.toJSON()).map(
      ([what, times]) => `${String(times).padStart(9)}  ${what}`,
    );
    return [
      ...counts,
      `${runs} runs, ${failed.length} failed: ${virtualSeconds} s of virtual time in ${cpuSeconds} s of CPU, ` +
        `${events} events (${rate} a second), ${accepted} appends accepted`,
    ];
  }
}

/** All that is known of a run that failed, and how to repeat it. */
export function failureLines({ seed, plan, failure }: Outcome, commit: string): string[] {
  return [
    ...failure!.lines,
    `seed ${seed} failed at commit ${commit}`,
    `plan: ${JSON.stringify(plan)}`,
    failure!.stack,
    `again: npm run sim -- --seed ${seed} --trace    smaller: npm run sim -- --seed ${seed} --shrink`,
  ];
}
