/**
 * Certificates and keys from the files that settings and flags name, looked at
 * before they are used: whoever reads the wrong file is told which, and of what
 * would otherwise be a connection that somebody hung up without a word.
 */

import { createPrivateKey, X509Certificate } from "node:crypto";
import tls from "node:tls";

import { CliError, reasonOf } from "../errors.ts";
import { readText } from "./settings.ts";

/** A file, and the flag or setting that named it. */
export interface NamedFile {
  readonly path: string;
  readonly source: string;
}

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Reads the certificates of authorities: one or more, in PEM.
 * @throws CliError that names the file and what is wrong with it.
 */
export function readAuthorities(file: NamedFile): string {
  const text = readText(file.path, file.source);
  parse(file, text);
  return text;
}

/**
 * Reads a certificate, with those between it and its authority behind it, and its private key.
 *
 * @param name - Whose it must be, where that matters: a node's among its peers.
 * @throws CliError that names the file and what is wrong with it: no PEM, a key that
 *   belongs to another certificate, one that is not valid now, one of another node.
 */
export function readIdentity(
  certFile: NamedFile,
  keyFile: NamedFile,
  name?: string,
): { readonly cert: string; readonly key: string } {
  const cert = readText(certFile.path, certFile.source);
  const key = readText(keyFile.path, keyFile.source);
  const own = parse(certFile, cert)[0]!;
  if (!own.checkPrivateKey(privateKey(keyFile, key))) {
    throw wrong(keyFile, `is not the key of ${certFile.path}`);
  }
  const now = Date.now();
  if (Date.parse(own.validTo) < now) throw wrong(certFile, `has expired on ${own.validTo}`);
  if (Date.parse(own.validFrom) > now) {
    throw wrong(certFile, `is valid only from ${own.validFrom} (or this machine's clock is wrong)`);
  }
  // Just as the others will judge it.
  if (name !== undefined && tls.checkServerIdentity(name, own.toLegacyObject()) !== undefined) {
    const names = own.subjectAltName ?? "nobody by name";
    throw wrong(certFile, `is for ${names}, and must be for DNS:${name} (subjectAltName)`);
  }
  return { cert, key };
}

function parse(file: NamedFile, text: string): readonly X509Certificate[] {
  const blocks = text.match(BLOCK) ?? [];
  if (blocks.length === 0) throw wrong(file, "holds no certificate in PEM");
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch (error) {
    throw wrong(file, `holds no certificate that can be read: ${reasonOf(error)}`);
  }
}

function privateKey(file: NamedFile, text: string): ReturnType<typeof createPrivateKey> {
  if (/BEGIN ENCRYPTED|Proc-Type: 4,ENCRYPTED/.test(text)) {
    throw wrong(file, "is protected by a passphrase, which nobody can give here: use one without");
  }
  try {
    return createPrivateKey(text);
  } catch {
    throw wrong(file, "holds no private key in PEM");
  }
}

function wrong({ path, source }: NamedFile, what: string): CliError {
  return new CliError({ code: "settings", reason: `${source}: ${path} ${what}` });
}
