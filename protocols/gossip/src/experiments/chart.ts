/** Line charts as SVG, on a logarithmic axis of sizes: enough to see what grows and what does not. */

interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly dashed?: boolean;
}

export interface Panel {
  readonly title: string;
  readonly unit: string;
  readonly series: readonly Series[];
}

const WIDTH = 420;
const HEIGHT = 260;
const MARGIN = { left: 56, right: 14, top: 34, bottom: 62 } as const;
const COLOURS = ["#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#8c564b"] as const;

/** Panels side by side over the same x axis. */
export function chart(title: string, panels: readonly Panel[]): string {
  // The last label of the last axis needs room.
  const width = WIDTH * panels.length + 12;
  const height = HEIGHT + 30;
  const body = panels.map(
    (panel, i) => `<g transform="translate(${i * WIDTH} 30)">${panelSvg(panel)}</g>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    text(width / 2, 20, title, 'text-anchor="middle" font-size="14" font-weight="bold"'),
    ...body,
    "</svg>\n",
  ].join("\n");
}

function panelSvg({ title, unit, series }: Panel): string {
  const points = series.flatMap((line) => line.points);
  const xs = points.map(([x]) => x);
  const [low, high] = [Math.min(...xs), Math.max(...xs)];
  const top = niceCeiling(Math.max(...points.map(([, y]) => y)));
  const right = WIDTH - MARGIN.right;
  const bottom = HEIGHT - MARGIN.bottom;
  const span = Math.max(1e-9, Math.log10(high) - Math.log10(low));
  const atX = (x: number) =>
    MARGIN.left + ((Math.log10(x) - Math.log10(low)) / span) * (right - MARGIN.left);
  const atY = (y: number) => bottom - (y / top) * (bottom - MARGIN.top);
  const lines: string[] = [
    text(WIDTH / 2, 18, `${title} (${unit})`, 'text-anchor="middle" font-size="12"'),
  ];
  for (let step = 0; step <= 4; step++) {
    const value = (top * step) / 4;
    const y = round(atY(value));
    lines.push(`<path d="M${MARGIN.left} ${y}H${right}" stroke="#ddd"/>`);
    lines.push(text(MARGIN.left - 6, y + 4, `${round(value)}`, 'text-anchor="end"'));
  }
  for (const x of new Set(xs))
    lines.push(text(round(atX(x)), bottom + 16, `${x}`, 'text-anchor="middle"'));
  for (const [i, { name, points: own, dashed }] of series.entries()) {
    const colour = COLOURS[i % COLOURS.length]!;
    const path = own.map(([x, y]) => `${round(atX(x))} ${round(atY(y))}`).join("L");
    const dash = dashed === true ? ' stroke-dasharray="5 4"' : "";
    lines.push(`<path d="M${path}" fill="none" stroke="${colour}" stroke-width="2"${dash}/>`);
    for (const [x, y] of own) {
      lines.push(`<circle cx="${round(atX(x))}" cy="${round(atY(y))}" r="2.5" fill="${colour}"/>`);
    }
    const [column, row] = [i % 2, Math.floor(i / 2)];
    const [keyX, keyY] = [MARGIN.left + column * 180, bottom + 34 + row * 15];
    lines.push(`<path d="M${keyX} ${keyY - 4}h18" stroke="${colour}" stroke-width="2"${dash}/>`);
    lines.push(text(keyX + 24, keyY, name, ""));
  }
  return lines.join("\n");
}

/** The next of 1, 2, 4, 6, 8, 10 times a power of ten. */
function niceCeiling(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 4, 6, 8, 10].find((candidate) => candidate * power >= value) ?? 10;
  return step * power;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function text(x: number, y: number, content: string, attributes: string): string {
  const escaped = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${x}" y="${y}" ${attributes}>${escaped}</text>`;
}
