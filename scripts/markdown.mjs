// Tables of Markdown, for the scripts that write documents.

/** A table between blank lines. */
export function table(heads, rows) {
  return `\n${[row(...heads), row(...heads.map(() => '---')), ...rows].join('\n')}\n\n`;
}

export function row(...cells) {
  return `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`;
}
