/**
 * The keys of a cluster, and AES-GCM as memberlist uses it.
 *
 * The first key is the primary: what is sent is sealed with it. What is received
 * is opened with whichever key fits, which lets a cluster change keys member by
 * member: install a key everywhere, use it, remove the old one.
 *
 * Sealed: version (1), nonce (12), ciphertext, tag (16). Version 0 pads the plain
 * text to blocks as PKCS #7; it is read, never written.
 */

import { createCipheriv, createDecipheriv, randomFillSync } from "node:crypto";

const VERSION_PADDED = 0;
const VERSION = 1;
const NONCE = 12;
const TAG = 16;
/** Bytes that sealing adds. */
export const SEAL_OVERHEAD: number = 1 + NONCE + TAG;

const CIPHERS = { 16: "aes-128-gcm", 24: "aes-192-gcm", 32: "aes-256-gcm" } as const;
type KeyLength = keyof typeof CIPHERS;

/** Nonces are drawn in bulk: asking the system for each would cost more than the cipher. */
const POOL_NONCES = 256;

/** Why a key could not be installed, used or removed. Worded as Serf does: peers read it. */
export class KeyringError extends Error {
  override readonly name = "KeyringError";
}

export class Keyring {
  private keys: Uint8Array[];
  private readonly pool = new Uint8Array(NONCE * POOL_NONCES);
  private used = POOL_NONCES;

  /**
   * @param keys the primary key first; at least one.
   * @throws KeyringError if there is none, or one is not of 16, 24 or 32 bytes.
   */
  constructor(keys: readonly Uint8Array[]) {
    if (keys.length === 0) throw new KeyringError("Keyring contains no keys");
    this.keys = [];
    for (const key of keys) this.install(key);
  }

  /** The primary key first. */
  list(): readonly Uint8Array[] {
    return this.keys;
  }

  get primary(): Uint8Array {
    return this.keys[0]!;
  }

  /** Adds a key for opening. One that is there already stays. @throws KeyringError */
  install(key: Uint8Array): void {
    if (!isKeyLength(key.length)) throw new KeyringError("key size must be 16, 24 or 32 bytes");
    if (!this.keys.some((each) => equal(each, key))) this.keys = [...this.keys, key.slice()];
  }

  /** Makes a key the primary one. @throws KeyringError if it was not installed. */
  use(key: Uint8Array): void {
    const found = this.keys.find((each) => equal(each, key));
    if (found === undefined) throw new KeyringError("Requested key is not in the keyring");
    this.keys = [found, ...this.keys.filter((each) => each !== found)];
  }

  /** Takes a key out; one that is not there is out already. @throws KeyringError for the primary key. */
  remove(key: Uint8Array): void {
    if (equal(this.primary, key)) throw new KeyringError("Removing the primary key is not allowed");
    this.keys = this.keys.filter((each) => !equal(each, key));
  }

  /** How long so many bytes are when sealed. */
  sealedBytes(plain: number): number {
    return plain + SEAL_OVERHEAD;
  }

  /** Seals `plain` with the primary key. `bound` is authenticated beside it. */
  seal(plain: Uint8Array, bound?: Uint8Array): Uint8Array {
    const { primary } = this;
    const nonce = this.nonce();
    const cipher = createCipheriv(CIPHERS[primary.length as KeyLength], primary, nonce);
    if (bound !== undefined) cipher.setAAD(bound);
    const sealed = new Uint8Array(plain.length + SEAL_OVERHEAD);
    sealed[0] = VERSION;
    sealed.set(nonce, 1);
    sealed.set(cipher.update(plain), 1 + NONCE);
    cipher.final();
    sealed.set(cipher.getAuthTag(), sealed.length - TAG);
    return sealed;
  }

  /** Opens what some key of this ring sealed; undefined if none did, or it was changed. */
  open(sealed: Uint8Array, bound?: Uint8Array): Uint8Array | undefined {
    const version = sealed[0];
    if (sealed.length < SEAL_OVERHEAD || version === undefined || version > VERSION)
      return undefined;
    for (const key of this.keys) {
      const plain = openWith(key, sealed, bound);
      if (plain !== undefined) return version === VERSION_PADDED ? unpadded(plain) : plain;
    }
    return undefined;
  }

  private nonce(): Uint8Array {
    if (this.used === POOL_NONCES) {
      randomFillSync(this.pool);
      this.used = 0;
    }
    const at = NONCE * this.used++;
    return this.pool.subarray(at, at + NONCE);
  }
}

function openWith(key: Uint8Array, sealed: Uint8Array, bound?: Uint8Array): Uint8Array | undefined {
  const nonce = sealed.subarray(1, 1 + NONCE);
  const decipher = createDecipheriv(CIPHERS[key.length as KeyLength], key, nonce);
  if (bound !== undefined) decipher.setAAD(bound);
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG));
  const plain = decipher.update(sealed.subarray(1 + NONCE, sealed.length - TAG));
  try {
    decipher.final();
    return plain;
  } catch {
    return undefined;
  }
}

/** Without PKCS #7 padding; undefined if there is none. */
function unpadded(plain: Uint8Array): Uint8Array | undefined {
  const padding = plain.at(-1) ?? 0;
  if (padding === 0 || padding > 16 || padding > plain.length) return undefined;
  return plain.subarray(0, plain.length - padding);
}

function isKeyLength(length: number): length is KeyLength {
  return Object.hasOwn(CIPHERS, length);
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
