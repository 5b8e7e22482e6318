/** Plain tables: a line of headings, columns as wide as they must be, no borders. */

import type { Colour, Terminal } from "./terminal.ts";

/** Text, or text in a colour. */
export type Cell = string | { readonly text: string; readonly colour: Colour };

export interface Column {
  readonly title: string;
  /** Numbers stand to the right. */
  readonly align?: "left" | "right";
}

const GAP = "  ";

/** Renders rows under headings; ends with a newline. A short row is filled up with blanks. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  paint: Terminal["paint"],
): string {
  const widths = columns.map(({ title }, at) =>
    Math.max(width(title), ...rows.map((row) => width(textOf(row[at])))),
  );
  const line = (cells: readonly (Cell | undefined)[]): string =>
    columns
      .map(({ align }, at) => {
        const blanks = " ".repeat(widths[at]! - width(textOf(cells[at])));
        const painted = paintedCell(cells[at], paint);
        return align === "right" ? blanks + painted : painted + blanks;
      })
      .join(GAP)
      .trimEnd();
  const heading = line(columns.map(({ title }) => ({ text: title, colour: "dim" })));
  return `${[heading, ...rows.map((row) => line(row))].join("\n")}\n`;
}

function textOf(cell: Cell | undefined): string {
  if (cell === undefined) return "";
  return typeof cell === "string" ? cell : cell.text;
}

function paintedCell(cell: Cell | undefined, paint: Terminal["paint"]): string {
  if (cell === undefined) return "";
  return typeof cell === "string" ? cell : paint(cell.colour, cell.text);
}

/** Names, addresses and numbers are of characters that are one column wide. */
function width(text: string): number {
  return text.length;
}
