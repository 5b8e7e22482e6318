/** The certificates of a cluster that speaks TLS everywhere, in files, as operators have them. */

import fs from "node:fs";
import https from "node:https";
import path from "node:path";

import type { IOptions } from "etcd3";

import { Authority, type Identity, type Issue } from "./authority.ts";

/** Flags of a node, by name. */
type Flags = Readonly<Record<string, string>>;

export class Security {
  readonly authority: Authority = new Authority("the cluster's authority");
  private readonly directory: string;
  private readonly operator: Identity;
  private files = 0;

  constructor(directory: string) {
    this.directory = directory;
    this.operator = this.authority.issue({ names: ["operator"] });
  }

  /** What a node is started with: certificates that are new each time. */
  nodeFlags(name: string): Flags {
    return {
      ...this.shown("--cert-file", "--key-file", { names: [name, "127.0.0.1"] }),
      ...this.shown("--peer-cert-file", "--peer-key-file", { names: [name] }),
      "--trusted-ca-file": this.write(this.authority.pem),
      "--peer-trusted-ca-file": this.write(this.authority.pem),
    };
  }

  /** What an operator types behind every command. */
  get flags(): readonly string[] {
    return Object.entries({
      "--cacert": this.write(this.authority.pem),
      "--cert": this.write(this.operator.cert),
      "--key": this.write(this.operator.key),
    }).flat();
  }

  get credentials(): NonNullable<IOptions["credentials"]> {
    return {
      rootCertificate: Buffer.from(this.authority.pem),
      certChain: Buffer.from(this.operator.cert),
      privateKey: Buffer.from(this.operator.key),
    };
  }

  /** Flags that name a certificate and its key, made for this. */
  shown(cert: string, key: string, issue: Issue, authority: Authority = this.authority): Flags {
    const identity = authority.issue(issue);
    return { [cert]: this.write(identity.cert), [key]: this.write(identity.key) };
  }

  /** Writes a file of its own and returns its path. */
  write(text: string): string {
    const file = path.join(this.directory, `tls-${this.files++}.pem`);
    fs.writeFileSync(file, text);
    return file;
  }

  /** Gets JSON over HTTPS, as an operator. */
  get(url: string, timeoutMs: number): Promise<unknown> {
    const signal = AbortSignal.timeout(timeoutMs);
    const options = { ca: this.authority.pem, ...this.operator, agent: false as const, signal };
    return new Promise((resolve, reject) => {
      const request = https.get(url, options, (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => (text += chunk.toString()));
        response.on("error", reject);
        response.on("end", () => resolve(JSON.parse(text)));
      });
      request.on("error", reject);
    });
  }
}
