// The workspace as its files describe it, for the tests that hold documents and code together.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The workspace's root: two folders above this compiled file. */
export const ROOT = new URL('../../../', import.meta.url).pathname;

export interface WorkspacePackage {
  readonly name: string;
  readonly folder: string;
  readonly dependencies: readonly string[];
  readonly devDependencies: readonly string[];
}

/** A file of the workspace as text. */
export function readText(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

export function readJson(path: string): unknown {
  return JSON.parse(readText(path));
}

/** The packages that package.json lists. */
export function workspacePackages(): WorkspacePackage[] {
  const { workspaces } = readJson('package.json') as { workspaces: string[] };
  return workspaces.map((folder) => {
    const json = readJson(`${folder}/package.json`) as {
      name: string;
      dependencies?: Record<string, string>;
      devDependencies?: Record<string, string>;
    };
    return {
      name: json.name,
      folder,
      dependencies: Object.keys(json.dependencies ?? {}),
      devDependencies: Object.keys(json.devDependencies ?? {}),
    };
  });
}

/** Every file below a folder with one of the endings; paths from the root. */
export function filesBelow(folder: string, endings: readonly string[]): string[] {
  const entries = readdirSync(join(ROOT, folder), { withFileTypes: true });
  return entries.flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      const isMade = ['node_modules', 'dist', 'build'].includes(entry.name);
      return isMade || entry.name.startsWith('.') ? [] : filesBelow(path, endings);
    }
    return endings.some((ending) => entry.name.endsWith(ending)) ? [path] : [];
  });
}

/** What a TypeScript file imports, as written. */
export function importsOf(path: string): string[] {
  const statement =
    /^(?:import|export)\b[^'";]*?\bfrom '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm;
  return [...readText(path).matchAll(statement)].map((match) => match[1] ?? match[2] ?? match[3]!);
}
