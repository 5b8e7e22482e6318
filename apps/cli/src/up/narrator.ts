/** Tells what happens: to people in lines with the time, to programs in lines of JSON. */

import { unreachable } from "@quorate/kernel";

import type { Terminal } from "../terminal/terminal.ts";
import { table } from "../terminal/table.ts";
import { counted, duration, timeOfDay } from "../terminal/units.ts";
import { version } from "../version.ts";
import type { ServingNode, UpEvent } from "./words.ts";

export type Narrator = (event: UpEvent) => void;

/** One JSON line per event. */
export function jsonNarrator(terminal: Terminal): Narrator {
  return (event) => {
    if (event.event === "ready") {
      const nodes = event.nodes.map(({ name, pid, addresses }) => ({ name, pid, ...addresses }));
      terminal.write(`${JSON.stringify({ event: "ready", nodes })}\n`);
    } else {
      terminal.write(`${JSON.stringify({ time: new Date().toISOString(), ...event })}\n`);
    }
  };
}

/** What a person is told besides events. */
export interface Surroundings {
  /** Where the nodes keep their data. */
  readonly dataDir: string;
  /** The authority that clients must trust, if the nodes speak TLS. */
  readonly authority: string | undefined;
}

/** For a person. */
export function humanNarrator(terminal: Terminal, around: Surroundings): Narrator {
  const { paint } = terminal;
  return (event) => {
    if (event.event === "ready") {
      terminal.write(welcome(event.nodes, event.leaders, around, paint));
      return;
    }
    const time = paint("dim", timeOfDay(new Date()));
    terminal.write(`${time}  ${inWords(event, paint)}\n`);
  };
}

function welcome(
  nodes: readonly ServingNode[],
  leaders: ReadonlyMap<string, string>,
  { dataDir, authority }: Surroundings,
  paint: Terminal["paint"],
): string {
  const scheme = authority === undefined ? "http" : "https";
  const first = nodes[0]!.addresses;
  const services = Object.keys(first).filter((name) => name !== "http" && name !== "peer");
  const columns = ["NODE", "PID", "HTTP", ...services.map((name) => name.toUpperCase()), "ROLE"];
  const rows = nodes.map(({ name, pid, addresses }) => {
    const led = [...leaders].filter(([, leader]) => leader === name).map(([group]) => group);
    const role = led.length === 0 ? "follower" : "leader";
    return [
      name,
      String(pid),
      `${scheme}://${addresses["http"] ?? ""}`,
      ...services.map((service) => addresses[service] ?? ""),
      { text: role, colour: role === "leader" ? "green" : "dim" } as const,
    ];
  });
  const heading = `Quorate ${version()}: ${counted(nodes.length, "node")}, data in ${dataDir}`;
  const listed = table(
    columns.map((title) => ({ title, align: title === "PID" ? "right" : "left" })),
    rows,
    paint,
  );
  return `${paint("bold", heading)}\n\n${listed}\n${howTo(nodes, scheme, authority)}\n`;
}

function howTo(
  nodes: readonly ServingNode[],
  scheme: string,
  authority: string | undefined,
): string {
  const { http = "", etcd } = nodes[0]!.addresses;
  const trust = authority === undefined ? "" : ` --cacert ${authority}`;
  const lines = [`Status page   ${scheme}://${http}/`];
  if (etcd !== undefined) {
    const endpoints = nodes.map(({ addresses }) => {
      return `${authority === undefined ? "" : "https://"}${addresses["etcd"] ?? ""}`;
    });
    lines.push(
      `With etcdctl  etcdctl --endpoints ${endpoints.join(",")}${trust} put greeting hello`,
    );
    const portBase = Number(http.split(":").at(-1));
    const where = portBase === 7000 ? "" : ` --port-base ${portBase}`;
    lines.push(`Or without    quorate kv put greeting hello${where}${trust}`);
  }
  lines.push("Ctrl-C stops all.");
  return `${lines.join("\n")}\n`;
}

function inWords(event: Exclude<UpEvent, { event: "ready" }>, paint: Terminal["paint"]): string {
  switch (event.event) {
    case "exited": {
      const { name, status, signal, reason, restartInMs } = event;
      const how =
        signal === null ? `exited with status ${status ?? "?"}` : `was ended by ${signal}`;
      const why = reason === undefined ? "" : `: ${reason}`;
      const next =
        restartInMs === undefined ? "not restarted" : `again in ${duration(restartInMs)}`;
      return `${paint("red", `${name} ${how}`)}${why}; ${next}`;
    }
    case "restarted":
      return `${paint("green", `${event.name} serves again`)}, pid ${event.pid}`;
    case "leader":
      return `${paint("cyan", `${event.leader} leads ${event.group}`)}, term ${event.term}`;
    case "waiting":
      return `still waiting for ${event.names.join(", ")}; see ${event.logs.join(", ")}`;
    case "stopping":
      return "stopping; Ctrl-C again kills";
    case "stopped":
      return "stopped";
    default:
      return unreachable(event);
  }
}
