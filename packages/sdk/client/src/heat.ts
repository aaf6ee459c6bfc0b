// How much documents are read and watched, as nodes tell it, and all nodes together.

import type { WireDocumentHeat } from './transport/wire.js';

/** Rates in a second, decayed; of one node or of several together. */
export type DocumentHeat = WireDocumentHeat;

/** What one process tells. */
export interface ProcessHeat {
  /** 0 for a replica. */
  readonly node: number;
  /** The name of a replica. */
  readonly replica: string;
  readonly documents: readonly DocumentHeat[];
}

/** The documents of all reports, the hottest first. A process that was asked twice counts once. */
export function mergeHeat(reports: readonly ProcessHeat[]): readonly DocumentHeat[] {
  const processes = new Map(reports.map((report) => [report.node || report.replica, report]));
  const byName = new Map<string, DocumentHeat>();
  for (const { documents } of processes.values()) {
    for (const document of documents) {
      const name = JSON.stringify([document.space, document.key]);
      const other = byName.get(name);
      byName.set(name, other === undefined ? document : sumOf(other, document));
    }
  }
  return [...byName.values()].sort((a, b) => b.heat + b.copiesHeat - (a.heat + a.copiesHeat));
}

function sumOf(a: DocumentHeat, b: DocumentHeat): DocumentHeat {
  return {
    space: a.space,
    key: a.key,
    leader: a.leader || b.leader,
    readsPerSecond: a.readsPerSecond + b.readsPerSecond,
    deliveriesPerSecond: a.deliveriesPerSecond + b.deliveriesPerSecond,
    bytesPerSecond: a.bytesPerSecond + b.bytesPerSecond,
    heat: a.heat + b.heat,
    heatError: a.heatError + b.heatError,
    copiesWanted: Math.max(a.copiesWanted, b.copiesWanted),
    copies: [...new Set([...a.copies, ...b.copies])],
    // Each node is told of the same copies.
    copiesHeat: Math.max(a.copiesHeat, b.copiesHeat),
  };
}
