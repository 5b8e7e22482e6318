import assert from "node:assert/strict";
import { test } from "node:test";

import { type ReplicaResponse } from "@quorate/consensus";

import { keepAliveCommand, requestCommand } from "../store/commands.ts";
import { type EtcdResult } from "../store/results.ts";
import { EtcdStore } from "../store/store.ts";
import { leaseGrantRequest, leaseRevokeRequest } from "../wire/index.ts";
import { FakeClock } from "./fake-clock.test.ts";
import { Lessor } from "./lessor.ts";

/** Passes commands on to a store when told to, as a group does. */
class FakeGroup {
  isLeader = true;
  readonly store = new EtcdStore();
  private readonly submitted: (() => void)[] = [];

  submit(command: Uint8Array, onResponse: (response: ReplicaResponse<EtcdResult>) => void): void {
    this.submitted.push(() => {
      onResponse({ type: "executed", result: this.store.apply(command) });
    });
  }

  get waiting(): number {
    return this.submitted.length;
  }

  apply(): void {
    for (const run of this.submitted.splice(0)) run();
  }
}

function setUp() {
  const clock = new FakeClock();
  const group = new FakeGroup();
  const { store } = group;
  const lessor = new Lessor(store, group, clock);
  const grant = (id: string, ttl: number): void => {
    store.apply(requestCommand("leaseGrant", leaseGrantRequest.toBytes({ id, ttl })));
  };
  const revoke = (id: string): void => {
    store.apply(requestCommand("leaseRevoke", leaseRevokeRequest.toBytes({ id })));
  };
  const renew = (id: string): void => void store.apply(keepAliveCommand(id));
  const exists = (id: string): boolean => store.lease(id) !== undefined;
  // The leader has settled in before anything happens.
  clock.pass(3000);
  return { clock, group, lessor, store, grant, revoke, renew, exists };
}

test("a lease lives for its time and at most a second longer", () => {
  const { clock, group, grant, exists } = setUp();
  grant("a", 10);
  clock.pass(10_000);
  group.apply();
  assert.ok(exists("a"));
  clock.pass(1001);
  group.apply();
  assert.ok(!exists("a"));
});

test("a renewal gives all the time again", () => {
  const { clock, group, grant, renew, exists } = setUp();
  grant("a", 10);
  for (let i = 0; i < 5; i++) {
    clock.pass(9000);
    group.apply();
    renew("a");
  }
  clock.pass(10_000);
  group.apply();
  assert.ok(exists("a"));
  clock.pass(1001);
  group.apply();
  assert.ok(!exists("a"));
});

test("a renewal that stands before the expiry in the log saves the lease", () => {
  const { clock, group, grant, renew, exists } = setUp();
  grant("a", 10);
  clock.pass(11_500);
  assert.equal(group.waiting, 1);
  renew("a");
  group.apply();
  assert.ok(exists("a"));
  clock.pass(9000);
  group.apply();
  assert.ok(exists("a"));
});

test("only one expiry is under way at a time", () => {
  const { clock, group, grant, exists } = setUp();
  for (let i = 0; i < 1200; i++) grant(i.toString(16), 5);
  clock.pass(20_000);
  assert.equal(group.waiting, 1);
  group.apply();
  assert.ok(!exists("1"));
  clock.pass(500);
  group.apply();
  clock.pass(500);
  group.apply();
  assert.equal(group.store.leases().length, 0);
});

test("a follower expires nothing, and has measured when it comes to lead", () => {
  const { clock, group, grant, exists } = setUp();
  group.isLeader = false;
  grant("a", 10);
  clock.pass(60_000);
  assert.equal(group.waiting, 0);
  group.isLeader = true;
  clock.pass(2000);
  assert.equal(group.waiting, 0, "clients have a moment to find the new leader");
  clock.pass(1001);
  group.apply();
  assert.ok(!exists("a"));
});

test("a lease granted again under an id that was in use starts anew", () => {
  const { clock, group, grant, revoke, exists } = setUp();
  grant("a", 10);
  clock.pass(9900);
  revoke("a");
  grant("a", 10);
  clock.pass(9900);
  group.apply();
  assert.ok(exists("a"));
  clock.pass(1200);
  group.apply();
  assert.ok(!exists("a"));
});

test("a leader that was stopped for long cannot expire what was renewed meanwhile", () => {
  const { clock, group, grant, renew, exists } = setUp();
  grant("a", 10);
  clock.pass(1000);
  clock.jump(60_000);
  clock.pass(500);
  assert.equal(group.waiting, 1);
  renew("a");
  group.apply();
  assert.ok(exists("a"));
});

test("what is left of a lease shrinks, and is all of it right after a renewal", () => {
  const { clock, lessor, store, grant, renew } = setUp();
  grant("a", 10);
  assert.equal(lessor.remainingMs(store.lease("a")!), 10_000);
  clock.pass(4500);
  const left = lessor.remainingMs(store.lease("a")!);
  assert.ok(left >= 5500 && left <= 6000, String(left));
  renew("a");
  assert.equal(lessor.remainingMs(store.lease("a")!), 10_000);
  clock.pass(60_000);
  assert.equal(lessor.remainingMs(store.lease("a")!), 0);
});

test("closing stops the clock", () => {
  const { clock, lessor } = setUp();
  lessor.close();
  assert.equal(clock.running, 0);
});
