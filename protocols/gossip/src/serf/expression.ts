/**
 * Regular expressions that run in linear time (Thompson 1968), since those of
 * query filters come from strangers: all states that an expression could be in
 * move along the text together, so nothing is ever tried twice.
 *
 * The syntax is that of Go's package, as far as tags need it: literals, `.`,
 * classes, `\d \w \s` and their opposites, groups, `|`, `* + ? {m,n}` (lazy
 * ones too: whether something matches does not depend on it), `^`, `$`, and
 * `(?i)` in front. Anything else is no expression.
 */

/** Which characters pass, by code point. */
interface CharacterSet {
  readonly negated: boolean;
  readonly ranges: readonly (readonly [from: number, to: number])[];
}

/** One instruction; `next` and `other` are places in the program. */
type Instruction =
  | { readonly type: "set"; readonly set: CharacterSet }
  | { readonly type: "split"; readonly next: number; readonly other: number }
  | { readonly type: "jump"; readonly next: number }
  | { readonly type: "begin" | "end" | "match" };

/** Longer programs are refused: `(x{100}){100}` is short to write. */
const PROGRAM_MAX = 4000;
const NESTING_MAX = 50;

const DIGIT: CharacterSet["ranges"] = [[48, 57]];
const WORD: CharacterSet["ranges"] = [
  [48, 57],
  [65, 90],
  [95, 95],
  [97, 122],
];
const SPACE: CharacterSet["ranges"] = [
  [9, 10],
  [12, 13],
  [32, 32],
];
const ESCAPED: { readonly [letter: string]: CharacterSet } = {
  d: { negated: false, ranges: DIGIT },
  D: { negated: true, ranges: DIGIT },
  w: { negated: false, ranges: WORD },
  W: { negated: true, ranges: WORD },
  s: { negated: false, ranges: SPACE },
  S: { negated: true, ranges: SPACE },
};
const ANY_BUT_NEWLINE: CharacterSet = { negated: true, ranges: [[10, 10]] };
const CONTROLS: { readonly [letter: string]: string } = {
  n: "\n",
  t: "\t",
  r: "\r",
  f: "\f",
  v: "\v",
};

class BadExpression extends Error {}

/**
 * Whether `expression` is found in `text`; `undefined` if it is no expression.
 * Takes time proportional to the product of their lengths.
 */
export function find(expression: string, text: string): boolean | undefined {
  const insensitive = expression.startsWith("(?i)");
  const fold = (characters: string) => (insensitive ? characters.toLowerCase() : characters);
  try {
    const body = insensitive ? expression.slice("(?i)".length) : expression;
    return run(new Parser(Array.from(fold(body))).program(), Array.from(fold(text)));
  } catch (error) {
    if (error instanceof BadExpression) return undefined;
    throw error;
  }
}

class Parser {
  private readonly characters: readonly string[];
  private at = 0;
  private depth = 0;

  constructor(characters: readonly string[]) {
    this.characters = characters;
  }

  program(): readonly Instruction[] {
    const body = this.alternatives();
    if (this.at < this.characters.length)
      throw new BadExpression("a group is closed that was not opened");
    return [...body, { type: "match" }];
  }

  /** Pieces of program jump relative to where they begin, until they are put together. */
  private alternatives(): Instruction[] {
    if (++this.depth > NESTING_MAX) throw new BadExpression("nested too deeply");
    let whole = this.sequence();
    while (this.peek() === "|") {
      this.at++;
      const second = this.sequence();
      whole = [
        { type: "split", next: 1, other: whole.length + 2 },
        ...shifted(whole, 1),
        { type: "jump", next: whole.length + 2 + second.length },
        ...shifted(second, whole.length + 2),
      ];
      limit(whole);
    }
    this.depth--;
    return whole;
  }

  private sequence(): Instruction[] {
    const whole: Instruction[] = [];
    while (this.at < this.characters.length && this.peek() !== "|" && this.peek() !== ")") {
      whole.push(...shifted(this.repeated(this.atom()), whole.length));
      limit(whole);
    }
    return whole;
  }

  private repeated(atom: Instruction[]): Instruction[] {
    const [least, most] = this.times();
    if (least === 1 && most === 1) return atom;
    if (this.peek() === "?") this.at++; // Lazy.
    if (this.times()[0] !== 1) throw new BadExpression("a repetition is repeated");
    const whole: Instruction[] = [];
    for (let i = 0; i < least; i++) {
      whole.push(...shifted(atom, whole.length));
      limit(whole);
    }
    if (most === Infinity) {
      const begin = whole.length;
      const beyond = begin + atom.length + 2;
      return [
        ...whole,
        { type: "split", next: begin + 1, other: beyond },
        ...shifted(atom, begin + 1),
        { type: "jump", next: begin },
      ];
    }
    for (let i = least; i < most; i++) {
      const begin = whole.length;
      const beyond = begin + atom.length + 1;
      whole.push({ type: "split", next: begin + 1, other: beyond }, ...shifted(atom, begin + 1));
      limit(whole);
    }
    return whole;
  }

  /** How often what came before may come: once, if nothing says otherwise. */
  private times(): readonly [least: number, most: number] {
    switch (this.peek()) {
      case "*":
        this.at++;
        return [0, Infinity];
      case "+":
        this.at++;
        return [1, Infinity];
      case "?":
        this.at++;
        return [0, 1];
      case "{": {
        const rest = this.characters.slice(this.at, this.at + 12).join("");
        const [all = "", least = "", comma = "", most = ""] =
          /^\{(\d{1,4})(,?)(\d{0,4})\}/.exec(rest) ?? [];
        if (all === "") return [1, 1]; // A brace like any other character.
        this.at += all.length;
        const upper = comma === "" ? Number(least) : most === "" ? Infinity : Number(most);
        if (upper < Number(least)) throw new BadExpression("a range is upside down");
        return [Number(least), upper];
      }
      default:
        return [1, 1];
    }
  }

  private atom(): Instruction[] {
    const character = this.next();
    switch (character) {
      case "(":
        return this.group();
      case "[":
        return [{ type: "set", set: this.classSet() }];
      case ".":
        return [{ type: "set", set: ANY_BUT_NEWLINE }];
      case "^":
        return [{ type: "begin" }];
      case "$":
        return [{ type: "end" }];
      case "\\":
        return [{ type: "set", set: this.escaped() }];
      case "*":
      case "+":
      case "?":
        throw new BadExpression("nothing to repeat");
      default:
        return [{ type: "set", set: single(character) }];
    }
  }

  private group(): Instruction[] {
    if (this.peek() === "?") {
      this.at++;
      if (this.next() !== ":") throw new BadExpression("only (?:…) is known");
    }
    const body = this.alternatives();
    if (this.next() !== ")") throw new BadExpression("a group is not closed");
    return body;
  }

  private escaped(): CharacterSet {
    const letter = this.next();
    const known = ESCAPED[letter];
    if (known !== undefined) return known;
    if (/[0-9A-Za-z]/.test(letter) && CONTROLS[letter] === undefined) {
      throw new BadExpression(`\\${letter} is not known`);
    }
    return single(CONTROLS[letter] ?? letter);
  }

  private classSet(): CharacterSet {
    const negated = this.peek() === "^";
    if (negated) this.at++;
    const ranges: (readonly [number, number])[] = [];
    for (let first = true; first || this.peek() !== "]"; first = false) {
      const low = this.classItem();
      if (this.peek() === "-" && this.characters[this.at + 1] !== "]" && low.ranges.length === 1) {
        this.at++;
        const [from] = low.ranges[0]!;
        const [[to] = [0]] = this.classItem().ranges;
        if (to < from) throw new BadExpression("a range is upside down");
        ranges.push([from, to]);
      } else if (low.negated) {
        throw new BadExpression("an opposite within a class");
      } else {
        ranges.push(...low.ranges);
      }
    }
    this.at++;
    return { negated, ranges };
  }

  private classItem(): CharacterSet {
    const character = this.next();
    return character === "\\" ? this.escaped() : single(character);
  }

  private peek(): string | undefined {
    return this.characters[this.at];
  }

  private next(): string {
    const character = this.characters[this.at++];
    if (character === undefined) throw new BadExpression("it ends early");
    return character;
  }
}

function single(character: string): CharacterSet {
  const code = character.codePointAt(0)!;
  return { negated: false, ranges: [[code, code]] };
}

function shifted(piece: readonly Instruction[], by: number): Instruction[] {
  return piece.map((instruction) => {
    if (instruction.type === "jump") return { type: "jump", next: instruction.next + by };
    if (instruction.type !== "split") return instruction;
    return { type: "split", next: instruction.next + by, other: instruction.other + by };
  });
}

function limit(program: readonly Instruction[]): void {
  if (program.length > PROGRAM_MAX) throw new BadExpression("too long");
}

/** Moves all places in the program that the text so far may have led to. */
function run(program: readonly Instruction[], text: readonly string[]): boolean {
  let places = new Set<number>();
  for (let position = 0; ; position++) {
    // A match may begin anywhere.
    if (enter(program, places, 0, position, text.length)) return true;
    const character = text[position];
    if (character === undefined) return false;
    const code = character.codePointAt(0)!;
    const following = new Set<number>();
    for (const place of places) {
      const instruction = program[place]!;
      if (instruction.type !== "set" || !passes(instruction.set, code)) continue;
      if (enter(program, following, place + 1, position + 1, text.length)) return true;
    }
    places = following;
  }
}

/** Adds a place and all that are reached from it without a character. Returns whether one matches. */
function enter(
  program: readonly Instruction[],
  places: Set<number>,
  start: number,
  position: number,
  end: number,
): boolean {
  const waiting = [start];
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    if (places.has(place)) continue;
    places.add(place);
    const instruction = program[place]!;
    switch (instruction.type) {
      case "match":
        return true;
      case "jump":
        waiting.push(instruction.next);
        break;
      case "split":
        waiting.push(instruction.other, instruction.next);
        break;
      case "begin":
        if (position === 0) waiting.push(place + 1);
        break;
      case "end":
        if (position === end) waiting.push(place + 1);
        break;
      case "set":
        break;
    }
  }
  return false;
}

function passes({ negated, ranges }: CharacterSet, code: number): boolean {
  return ranges.some(([from, to]) => code >= from && code <= to) !== negated;
}
