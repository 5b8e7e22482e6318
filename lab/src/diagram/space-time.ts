/**
 * Space-time diagrams (Lamport 1978): a line for each process, time from left
 * to right, a dot for each event, an arrow for each message. Drawn from a
 * recorded run, as SVG that reads in light and in dark surroundings.
 *
 * Every event has a column of its own, wide enough for what is written there,
 * so nothing overlaps. The same run gives the same text: diagrams that are
 * kept in the repository are compared with what the code does today.
 */

import { type Arrow, type Mark, type Recorder } from "./history.ts";

/** Of the font's height, how wide a character is. */
const CHARACTER = 0.61;
const FONT = 13;
const ROW = 96;
const TOP = 44;
const MARGIN = 18;
const GAP = 22;
const DOT = 5;

const STYLE = `
  svg { font: ${FONT}px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
  .ground { fill: #ffffff; } .line { stroke: #8c959f; } .arrow { stroke: #0969da; fill: none; }
  .head { fill: #0969da; } .lost { stroke: #cf222e; stroke-dasharray: 5 4; }
  .dot { fill: #1f2328; } text { fill: #1f2328; stroke: #ffffff; stroke-width: 4px; paint-order: stroke; }
  .state { fill: #57606a; } .name { font-weight: bold; }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117; } .line { stroke: #6e7681; } .arrow { stroke: #58a6ff; }
    .head { fill: #58a6ff; } .lost { stroke: #ff7b72; }
    .dot { fill: #e6edf3; } text { fill: #e6edf3; stroke: #0d1117; } .state { fill: #9da7b1; }
  }`;

/**
 * Draws a recorded run.
 * @param title - What the diagram shows, for those who cannot see it.
 */
export function spaceTime(title: string, { processes, marks, arrows }: Recorder): string {
  const left = MARGIN + GAP + Math.max(...processes.map(widthOf));
  const columns = place(left, marks);
  const width = Math.ceil((columns.at(-1)?.end ?? left) + MARGIN);
  const height = TOP + (processes.length - 1) * ROW + 46;
  const y = (process: string): number => TOP + processes.indexOf(process) * ROW;
  const x = (mark: Mark): number => columns[mark.at]!.middle;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<style>${STYLE}\n</style>`,
    `<defs><marker id="head" viewBox="0 0 10 10" refX="10" refY="5" markerWidth="8" markerHeight="8" orient="auto"><path class="head" d="M0 1 L10 5 L0 9 z"/></marker></defs>`,
    `<rect class="ground" width="${width}" height="${height}"/>`,
    ...processes.map(
      (name) =>
        `<line class="line" x1="${left}" y1="${y(name)}" x2="${width - MARGIN}" y2="${y(name)}"/>`,
    ),
    ...arrows.map((arrow) => drawArrow(arrow, x, y)),
    ...processes.map(
      (name) => `<text class="name" x="${MARGIN}" y="${y(name) + 4}">${escaped(name)}</text>`,
    ),
    ...marks.map((mark) => drawMark(mark, x(mark), y(mark.process))),
    "</svg>",
    "",
  ];
  return parts.join("\n");
}

interface Column {
  readonly middle: number;
  readonly end: number;
}

/** Columns from left to right, each as wide as its texts. */
function place(left: number, marks: readonly Mark[]): readonly Column[] {
  const columns: Column[] = [];
  let end = left;
  for (const { title, state } of marks) {
    const width = Math.max(widthOf(title), widthOf(state), 2 * DOT);
    const middle = round(end + GAP / 2 + width / 2);
    end = middle + width / 2 + GAP / 2;
    columns.push({ middle, end });
  }
  return columns;
}

function drawMark({ title, state }: Mark, x: number, y: number): string {
  return [
    `<circle class="dot" cx="${x}" cy="${y}" r="${DOT}"/>`,
    `<text x="${x}" y="${y - 13}" text-anchor="middle">${escaped(title)}</text>`,
    `<text class="state" x="${x}" y="${y + 23}" text-anchor="middle">${escaped(state)}</text>`,
  ].join("");
}

/** A line that ends at the edge of the dot it points at, or in a cross if it is lost. */
function drawArrow(
  { from, to }: Arrow,
  x: (mark: Mark) => number,
  y: (process: string) => number,
): string {
  const [x1, y1] = [x(from), y(from.process)];
  if ("lostTo" in to) {
    const [x2, y2] = [x1 + 34, round(y1 + (y(to.lostTo) - y1) * 0.55)];
    const cross = `M${x2 - 5} ${y2 - 5} l10 10 m0 -10 l-10 10`;
    return `<path class="arrow lost" d="M${x1} ${y1} L${x2} ${y2}"/><path class="arrow lost" stroke-dasharray="none" d="${cross}"/>`;
  }
  const [x2, y2] = [x(to), y(to.process)];
  const length = Math.hypot(x2 - x1, y2 - y1);
  const share = (length - DOT - 1) / length;
  return `<path class="arrow" marker-end="url(#head)" d="M${x1} ${y1} L${round(x1 + (x2 - x1) * share)} ${round(y1 + (y2 - y1) * share)}"/>`;
}

function widthOf(text: string): number {
  return text.length * FONT * CHARACTER;
}

/** Tenths: the same text on every engine. */
function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
