// How much documents are read and watched, as nodes tell it, and all nodes together.

import type { WireDocumentHeat } from './transport/wire.js';

/** Rates in a second, decayed; of one node or of several together. */
export type DocumentHeat = WireDocumentHeat;

/** What one node tells. */
export interface NodeHeat {
  readonly node: number;
  readonly documents: readonly DocumentHeat[];
}

/** The documents of all reports, the hottest first. A node that was asked twice counts once. */
export function mergeHeat(reports: readonly NodeHeat[]): readonly DocumentHeat[] {
  const nodes = new Map(reports.map((report) => [report.node, report]));
  const byName = new Map<string, DocumentHeat>();
  for (const { documents } of nodes.values()) {
    for (const document of documents) {
      const name = JSON.stringify([document.space, document.key]);
      const other = byName.get(name);
      byName.set(name, other === undefined ? document : sumOf(other, document));
    }
  }
  return [...byName.values()].sort((a, b) => b.heat - a.heat);
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
  };
}
