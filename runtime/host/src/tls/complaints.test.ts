import assert from "node:assert/strict";
import { test } from "node:test";

import { Complaints } from "./complaints.ts";

test("a complaint of one address is made once in a minute, whatever the port", () => {
  const said: string[] = [];
  let now = 0;
  const complaints = new Complaints(
    (from, what) => said.push(`${from} ${what}`),
    () => now,
  );
  complaints.make("10.0.0.1:5001", "expired");
  complaints.make("10.0.0.1:5002", "expired");
  complaints.make("10.0.0.1:5003", "unsigned");
  complaints.make("10.0.0.2:5001", "expired");
  now = 59_999;
  complaints.make("10.0.0.1:5004", "expired");
  now = 60_000;
  complaints.make("10.0.0.1:5005", "expired");
  assert.deepEqual(said, [
    "10.0.0.1:5001 expired",
    "10.0.0.1:5003 unsigned",
    "10.0.0.2:5001 expired",
    "10.0.0.1:5005 expired",
  ]);
});
