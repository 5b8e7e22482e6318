/**
 * An authority that signs certificates for tests, made when they run: X.509 v3
 * (RFC 5280) over P-256, as little of it as TLS looks at.
 */

import {
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from "node:crypto";
import net from "node:net";

export interface Identity {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
}

export interface Issue {
  /** DNS names and IP addresses. */
  readonly names: readonly string[];
  readonly from?: Date;
  readonly until?: Date;
}

const DAY_MS = 86_400_000;
const ECDSA_WITH_SHA256 = sequence(oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02));

export class Authority {
  /** Its own certificate, in PEM. */
  readonly pem: string;
  private readonly name: Buffer;
  private readonly key: KeyObject;

  constructor(name: string) {
    this.name = distinguished(name);
    this.key = newKey();
    // basicConstraints: an authority.
    const authority = extension(0x13, sequence(element(0x01, Buffer.from([0xff]))));
    this.pem = this.sign(this.name, this.key, authority, {});
  }

  issue({ names, ...validity }: Issue): Identity {
    const key = newKey();
    const alternatives = names.map((name) =>
      net.isIPv4(name)
        ? element(0x87, Buffer.from(name.split(".").map(Number)))
        : element(0x82, Buffer.from(name)),
    );
    const subject = distinguished(names[0] ?? "");
    const cert = this.sign(subject, key, extension(0x11, sequence(...alternatives)), validity);
    return { cert, key: key.export({ type: "pkcs8", format: "pem" }).toString() };
  }

  private sign(
    subject: Buffer,
    key: KeyObject,
    constraint: Buffer,
    {
      from = new Date(Date.now() - DAY_MS),
      until = new Date(Date.now() + DAY_MS),
    }: Omit<Issue, "names">,
  ): string {
    const body = sequence(
      element(0xa0, element(0x02, Buffer.from([2]))),
      // Positive, and never the same twice.
      element(0x02, Buffer.concat([Buffer.from([1]), randomBytes(12)])),
      ECDSA_WITH_SHA256,
      this.name,
      sequence(time(from), time(until)),
      subject,
      createPublicKey(key).export({ type: "spki", format: "der" }),
      element(0xa3, sequence(constraint)),
    );
    const signature = element(
      0x03,
      Buffer.concat([Buffer.from([0]), sign("sha256", body, this.key)]),
    );
    const lines = sequence(body, ECDSA_WITH_SHA256, signature)
      .toString("base64")
      .match(/.{1,64}/g);
    return `-----BEGIN CERTIFICATE-----\n${lines!.join("\n")}\n-----END CERTIFICATE-----\n`;
  }
}

function newKey(): KeyObject {
  return generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
}

/** A name that is a commonName and nothing else. */
function distinguished(commonName: string): Buffer {
  const attribute = sequence(oid(0x55, 0x04, 0x03), element(0x0c, Buffer.from(commonName)));
  return sequence(element(0x31, attribute));
}

/** An extension of id-ce by the last byte of its number; critical. */
function extension(number: number, value: Buffer): Buffer {
  const critical = element(0x01, Buffer.from([0xff]));
  return sequence(oid(0x55, 0x1d, number), critical, element(0x04, value));
}

function time(date: Date): Buffer {
  const text = date.toISOString().replaceAll(/[-:T]|\.\d+/g, "");
  return element(0x18, Buffer.from(text));
}

function oid(...bytes: readonly number[]): Buffer {
  return element(0x06, Buffer.from(bytes));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return element(0x30, Buffer.concat(parts));
}

/** One element of DER: a tag, a length, a value. */
function element(tag: number, value: Buffer): Buffer {
  const { length } = value;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), value]);
  const bytes = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...bytes]), value]);
}
