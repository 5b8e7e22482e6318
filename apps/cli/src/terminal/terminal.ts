/** Where a command writes. An interface, so that tests read what a person would. */

export type Colour = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

export interface Terminal {
  /** Writes to standard output, as it is. */
  readonly write: (text: string | Uint8Array) => void;
  /** Writes one line to standard error. */
  readonly complain: (line: string) => void;
  /** The text in a colour, or as it is where colours are not wanted. */
  readonly paint: (colour: Colour, text: string) => string;
  /** Whether a person watches, so that a screen may be redrawn. */
  readonly interactive: boolean;
}

const CODES: Readonly<Record<Colour, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
};

/** Colours are for terminals, unless NO_COLOR (https://no-color.org) says otherwise. */
export function wantsColour(isTty: boolean, environment: NodeJS.ProcessEnv): boolean {
  const refused = (environment["NO_COLOR"] ?? "") !== "" || environment["TERM"] === "dumb";
  return isTty && !refused;
}

/** Paints with escape codes if `wanted`. */
export function painter(wanted: boolean): Terminal["paint"] {
  if (!wanted) return (_colour, text) => text;
  return (colour, text) => {
    const [on, off] = CODES[colour];
    return `\u001B[${on}m${text}\u001B[${off}m`;
  };
}

/** The terminal of this process. */
export function systemTerminal(): Terminal {
  const interactive = process.stdout.isTTY;
  return {
    write: (text) => void process.stdout.write(text),
    complain: (line) => void process.stderr.write(`${line}\n`),
    paint: painter(wantsColour(interactive, process.env)),
    interactive,
  };
}
