// The text that a document of examples/text is: the chunks of all groups, groups and chunks in the order of their
// names (examples/text/README.md).

export function readText(state: unknown): string {
  const { text } = state as { text: Record<string, Record<string, string>> };
  return inOrder(text)
    .flatMap((group) => inOrder(text[group]!).map((chunk) => text[group]![chunk]!))
    .join('');
}

function inOrder(object: object): string[] {
  return Object.keys(object).sort();
}
