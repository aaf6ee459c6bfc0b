// What the tour shows: chapters, sentences, and commands as they would be typed with what they print. Colors on a
// terminal; plain text without anything drawn elsewhere.

import { type Paint, paintFor } from '../format/paint.js';

/** Where text goes. */
export interface Output {
  readonly isTerminal: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  write(text: string): void;
}

/** Characters of a sentence's line. */
const WIDTH = 100;
const INDENT = '  ';

export class Screen {
  readonly paint: Paint;
  readonly #output: Output;
  readonly #rail: string;
  #isMuted = false;

  constructor(output: Output, { color }: { readonly color: boolean }) {
    this.#output = output;
    this.paint = paintFor(output, color);
    this.#rail = output.isTerminal ? '│ ' : '| ';
  }

  /** Shows nothing any more of what others still write; `last` does. */
  mute(): void {
    this.#isMuted = true;
  }

  /** Writes a line even when others may not. */
  last(text: string): void {
    this.#output.write(`${text}\n`);
  }

  line(text = ''): void {
    if (!this.#isMuted) this.last(text);
  }

  /** Begins a chapter: what it shows, and a sentence or two about it. */
  chapter(title: string, text: string): void {
    this.line();
    this.line(this.paint.bold(title));
    for (const each of wrapped(text)) this.line(this.paint.dim(each));
    this.line();
  }

  /** A command as it is typed. */
  command(text: string): void {
    this.line(`${INDENT}${this.paint.dim('$')} ${this.paint.bold(text)}`);
  }

  /** What a command prints. */
  result(text: string): void {
    for (const each of linesOf(text)) this.line(INDENT + each);
  }

  /** What a command prints that goes on meanwhile, beside a rail. */
  aside(text: string): void {
    for (const each of linesOf(text)) this.line(INDENT + this.paint.dim(this.#rail) + each);
  }
}

function linesOf(text: string): string[] {
  return text.trimEnd().split('\n');
}

function wrapped(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line === undefined || line.length + word.length >= WIDTH) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines;
}
