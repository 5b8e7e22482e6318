/**
 * The network between the nodes of a cluster: every node reaches every other
 * over a wire of its own, which only carries what the one sends the other, and
 * which can be cut. As on a real network nobody is told: what is sent over a cut
 * wire waits, and when it is mended arrives late, or is lost with its connection.
 */

import net, { type AddressInfo, type Socket } from "node:net";

import { close, NODE_PORTS } from "./ports.ts";

/** One connection over a wire: the end that dialled, and the one it was for. */
interface Connection {
  readonly near: Socket;
  readonly far: Socket;
}

class Wire {
  private readonly server: net.Server;
  private readonly target: number;
  private readonly connections = new Set<Connection>();
  private isCut = false;

  /** @param target - The port, on this machine, of the node at the other end. */
  constructor(target: number) {
    this.target = target;
    this.server = net.createServer({ noDelay: true, pauseOnConnect: true }, (near) => {
      this.accept(near);
    });
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Listens on some free port, on another than before if it listens already. */
  async listen(): Promise<void> {
    if (this.server.listening) await close(this.server);
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
  }

  cut(): void {
    this.isCut = true;
    for (const { near, far } of this.connections) {
      near.pause();
      far.pause();
    }
  }

  mend(fate: "late" | "lost"): void {
    this.isCut = false;
    for (const { near, far } of this.connections) {
      if (fate === "lost") near.destroy();
      near.resume();
      far.resume();
    }
  }

  close(): Promise<void> {
    for (const { near } of this.connections) near.destroy();
    return close(this.server);
  }

  private accept(near: Socket): void {
    const far = net.connect({ host: "127.0.0.1", port: this.target, noDelay: true });
    const connection = { near, far };
    this.connections.add(connection);
    this.join(connection, near, far);
    this.join(connection, far, near);
    if (this.isCut) return;
    near.resume();
  }

  /** Passes on what comes, no faster than it is taken; one end goes with the other. */
  private join(connection: Connection, from: Socket, to: Socket): void {
    from.on("data", (chunk) => {
      if (to.write(chunk)) return;
      from.pause();
      to.once("drain", () => {
        if (!this.isCut) from.resume();
      });
    });
    from.on("error", () => to.destroy());
    from.on("close", () => {
      this.connections.delete(connection);
      to.destroy();
    });
  }
}

export class Wires<Name extends string> {
  private readonly names: readonly Name[];
  private readonly wires = new Map<string, Wire>();

  /** @param portOf - Where each node listens for the others. */
  constructor(names: readonly Name[], portOf: (name: Name) => number) {
    this.names = names;
    for (const from of names) {
      for (const to of names) {
        if (from !== to) this.wires.set(`${from} ${to}`, new Wire(portOf(to)));
      }
    }
  }

  /** Opens the near ends; from then on {@link port} tells where they are. */
  async open(): Promise<void> {
    for (const from of this.names) {
      const taken: number[] = [];
      for (const to of this.names) {
        if (to === from) continue;
        const wire = this.wire(from, to);
        // A node takes the ports next to one for the same member's, so no two may be near each other.
        do await wire.listen();
        while (taken.some((port) => Math.abs(port - wire.port) < NODE_PORTS));
        taken.push(wire.port);
      }
    }
  }

  /** Where `from` finds `to`. */
  port(from: Name, to: Name): number {
    return this.wire(from, to).port;
  }

  /** Nothing that `from` sends reaches `to`. */
  cut(from: Name, to: Name): void {
    this.wire(from, to).cut();
  }

  /** Nothing passes between the two. */
  part(one: Name, other: Name): void {
    this.cut(one, other);
    this.cut(other, one);
  }

  /** Nothing passes between a node and the others. */
  isolate(name: Name): void {
    for (const other of this.names) if (other !== name) this.part(name, other);
  }

  /** Mends every wire. */
  mend(fate: "late" | "lost"): void {
    for (const wire of this.wires.values()) wire.mend(fate);
  }

  async close(): Promise<void> {
    await Promise.all([...this.wires.values()].map((wire) => wire.close()));
  }

  private wire(from: Name, to: Name): Wire {
    return this.wires.get(`${from} ${to}`)!;
  }
}
