// How the opcode table is written down: runs of names with consecutive numbers.

/** Adds the instructions of `names` (one space apart) from opcode `first` on. */
export type Add = (first: number, immediate: number, height: number, names: string) => void;

/** `names` with the type that they belong to in front of each. */
export function typed(type: string, names: string): string {
  return names
    .split(' ')
    .map((name) => `${type}.${name}`)
    .join(' ');
}
