/** Prints benchmark results: a table for people, JSON lines with `--json`. */

export type Row = Readonly<Record<string, string | number>>;

export function report(title: string, rows: readonly Row[]): void {
  if (process.argv.includes("--json")) {
    for (const row of rows) console.log(JSON.stringify({ benchmark: title, ...row }));
    return;
  }
  const columns = Object.keys(rows[0] ?? {});
  const cells = rows.map((row) => columns.map((column) => String(row[column] ?? "")));
  const widths = columns.map((column, i) =>
    Math.max(column.length, ...cells.map((row) => row[i]!.length)),
  );
  const line = (row: readonly string[]): string =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  ");
  console.log(`\n${title}\n`);
  for (const row of [columns, widths.map((width) => "-".repeat(width)), ...cells]) {
    console.log(line(row));
  }
}

/** The value below which a share of the samples lies. Sorts a copy. */
export function percentile(samples: Float64Array, share: number): number {
  const sorted = samples.toSorted();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
