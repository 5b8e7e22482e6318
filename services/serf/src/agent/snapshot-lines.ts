/** Records of the process as lines of Serf's snapshot file, and back. */

import type { GossipWords } from "@quorate/gossip";
import {
  type Codec,
  MalformedInput,
  type Reader,
  readUtf8,
  unreachable,
  utf8,
} from "@quorate/kernel";

import { endpointOf } from "../wire/address.ts";

type Line = GossipWords["Record"];

const TIMES = {
  "clock: ": "clock",
  "event-clock: ": "eventClock",
  "query-clock: ": "queryClock",
} as const;
const ALIVE = "alive: ";
const NOT_ALIVE = "not-alive: ";

/** The text of a record, its line end included. */
export function lineOf(record: Line): string {
  switch (record.type) {
    case "alive":
      return `${ALIVE}${record.name} ${record.address}\n`;
    case "notAlive":
      return `${NOT_ALIVE}${record.name}\n`;
    case "clock":
      return `clock: ${record.ltime}\n`;
    case "eventClock":
      return `event-clock: ${record.ltime}\n`;
    case "queryClock":
      return `query-clock: ${record.ltime}\n`;
    case "leave":
      return "leave\n";
    default:
      return unreachable(record);
  }
}

/**
 * The record of a line without its end; undefined for one that says nothing: a
 * comment, or a coordinate, which old agents wrote.
 * @throws MalformedInput for a line that nobody writes.
 */
export function parseLine(line: string): Line | undefined {
  if (line === "leave") return { type: "leave" };
  if (line.startsWith("#") || line.startsWith("coordinate: ")) return undefined;
  for (const [prefix, type] of Object.entries(TIMES)) {
    if (line.startsWith(prefix)) return { type, ltime: timeOf(line.slice(prefix.length)) };
  }
  if (line.startsWith(NOT_ALIVE)) return { type: "notAlive", name: line.slice(NOT_ALIVE.length) };
  if (!line.startsWith(ALIVE)) throw new MalformedInput("unknown kind of line");
  // Names may hold spaces, addresses do not.
  const space = line.lastIndexOf(" ");
  if (space < ALIVE.length) throw new MalformedInput("no address");
  const address = line.slice(space + 1);
  endpointOf(address);
  return { type: "alive", name: line.slice(ALIVE.length, space), address };
}

function timeOf(text: string): number {
  const time = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(time)) throw new MalformedInput("not a time");
  return time;
}

/** One line to a record, for the driver. */
export const lineCodec: Codec<Line> = {
  write: (writer, record) => writer.raw(utf8(lineOf(record))),
  read(reader: Reader) {
    const line = parseLine(readUtf8(reader, reader.left).trimEnd());
    if (line === undefined) throw new MalformedInput("a line that says nothing");
    return line;
  },
};
