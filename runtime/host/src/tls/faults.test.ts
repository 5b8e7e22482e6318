import assert from "node:assert/strict";
import { test } from "node:test";

import { isTlsHello, tlsFault } from "./faults.ts";

function coded(code: string, more: object = {}): Error {
  return Object.assign(new Error("of OpenSSL"), { code }, more);
}

test("what OpenSSL calls by codes is said in words, by either generation of names", () => {
  const words: readonly (readonly [string, RegExp])[] = [
    ["CERT_HAS_EXPIRED", /has expired/],
    ["CERT_NOT_YET_VALID", /not valid yet/],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", /not signed by an authority trusted here/],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", /not signed by an authority trusted here/],
    ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", /not signed by an authority trusted here/],
    ["ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", /wants a certificate, and was shown none/],
    ["ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE", /does not accept the certificate of this end/],
    ["ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE", /does not accept the certificate of this end/],
    ["ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", /does not trust the authority/],
    ["ERR_SSL_WRONG_VERSION_NUMBER", /does not speak TLS/],
    ["ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION", /no version of TLS/],
  ];
  for (const [code, pattern] of words) assert.match(tlsFault(coded(code)) ?? "", pattern, code);
});

test("where a write has failed the reason is in the message", () => {
  const message = "write EPROTO 80:error:0A00010B:SSL routines:f:wrong version number:../s.c:350:";
  const error = Object.assign(new Error(message), { code: "EPROTO" });
  assert.match(tlsFault(error) ?? "", /does not speak TLS/);
});

test("a certificate for another is named with what it is for", () => {
  const cert = { subjectaltname: "DNS:n1, IP Address:10.0.0.1" };
  const error = coded("ERR_TLS_CERT_ALTNAME_INVALID", { host: "db.example", cert });
  assert.match(
    tlsFault(error) ?? "",
    /is for DNS:n1, IP Address:10\.0\.0\.1, and not for db\.exam/,
  );
});

test("what has nothing to do with TLS is none of its faults", () => {
  assert.equal(tlsFault(coded("ECONNREFUSED")), undefined);
  assert.equal(tlsFault(new Error("anything")), undefined);
  assert.equal(tlsFault("a text"), undefined);
});

test("a ClientHello is known by its record, and the preface of HTTP/2 is none", () => {
  assert.ok(isTlsHello(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00])));
  assert.ok(!isTlsHello(Buffer.from("PRI * HTTP/2.0")));
  assert.ok(!isTlsHello(Buffer.alloc(0)));
});
