// Stands in until @quorate/etcd exports its gateway.
import net from "node:net";
import type { EtcdStore } from "@quorate/etcd";
import type { Address, Group, Node } from "@quorate/host";

export class EtcdServer {
  private readonly server = net.createServer();
  readonly load = { pending: 0, watchers: 0 };
  constructor(_options: {
    node: Node; group: Group<never> | Group<unknown> | object; store: EtcdStore; members: ReadonlyMap<string, object>; clusterToken: string;
  }) {}
  async listen(address: Address, _tls?: object): Promise<Address> {
    await new Promise<void>((resolve, reject) => {
      this.server.once("error", reject);
      this.server.listen(address.port, address.host, resolve);
    });
    return address;
  }
  async close(_graceMs: number): Promise<void> {
    this.server.close();
  }
}
