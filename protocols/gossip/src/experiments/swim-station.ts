/** SWIM under observation. */

import type { SwimConfig } from "../config.ts";
import type { Message } from "../messages.ts";
import { plainWire } from "../plain-wire.ts";
import { Swim } from "../swim/swim.ts";
import type { GossipWords } from "../words.ts";
import { type Loops, type Spells, Station, type StationWords } from "./station.ts";

export type SwimStationWords = StationWords<GossipWords>;
export type SwimStation = Station<GossipWords, Swim>;

/** Memberlist's loops. Timers of suspicions and exchanges are nobody's to wait for. */
const LOOPS: Loops = { probe: ["probeTimeout", "probeEnd"], gossip: [], pushPull: [] };

export function swimStation(config: SwimConfig, spells?: Spells): SwimStation {
  return new Station<GossipWords, Swim>(new Swim(config), packetSize, LOOPS, spells);
}

/** A datagram's payload, compound header included. */
function packetSize(message: Message): number | "stream" {
  if (message.type !== "packet") return "stream";
  let bytes = 2;
  for (const part of message.parts) bytes += 2 + plainWire.partBytes(part);
  return bytes;
}
