/**
 * What a protocol without encodings needs to know of them (decision 0030).
 *
 * Everything between nodes is a typed value at the seam; the driver's codec
 * makes bytes of it. Three things leak through: how much fits into a packet,
 * how tags become the opaque meta of the layer below, and the payloads of
 * Serf's internal queries. A driver lends its codec's functions for them.
 */

import type { Part } from "./messages.ts";
import type { KeyAnswer, Member, Tags } from "./serf/messages.ts";

export interface Wire {
  /** How many bytes `part` takes, its type byte included. */
  partBytes(part: Part): number;
  packTags(tags: Tags): Uint8Array;
  /** What cannot be read is no tags. */
  unpackTags(meta: Uint8Array): Tags;
  /** 6. The answer to `_serf_conflict`. */
  packConflict(member: Member): Uint8Array;
  unpackConflict(payload: Uint8Array): Member | undefined;
  /** 7. The question of a key operation; `_serf_list-keys` has an empty key. */
  packKey(key: Uint8Array): Uint8Array;
  unpackKey(payload: Uint8Array): Uint8Array | undefined;
  /** 8. */
  packKeyAnswer(answer: KeyAnswer): Uint8Array;
  unpackKeyAnswer(payload: Uint8Array): KeyAnswer | undefined;
}
