/**
 * The Maintenance service, as far as it makes sense for a store in memory:
 * status, hashes, moving the leader. Space is reclaimed continuously, so
 * defragmentation has nothing to do, and the only alarm is that this member is
 * full, which ends by itself (see {@link Quota}).
 */

import { type ServerCall, Status } from "@quorate/grpc";
import { type Group } from "@quorate/host";

import { type EtcdResult } from "../store/results.ts";
import { type EtcdStore } from "../store/store.ts";
import {
  alarmRequest,
  alarmResponse,
  defragmentResponse,
  hashKvRequest,
  hashKvResponse,
  moveLeaderRequest,
  moveLeaderResponse,
  statusResponse,
} from "../wire/maintenance-messages.ts";
import { type Executor, fail } from "./executor.ts";
import { type Headers } from "./headers.ts";
import { type LeaderGate } from "./leader-gate.ts";
import { type Roster } from "./members.ts";
import { type Quota } from "./quota.ts";

/** The version of etcd's API that clients may count on. */
export const ETCD_VERSION = "3.5.0";

const ALARM_ACTIVATE = 1;
const NO_SPACE = 1;
const TRANSFER_TIMED_OUT = "etcdserver: request timed out, leader transfer took too long";

export class MaintenanceService {
  private readonly store: EtcdStore;
  private readonly group: Group<EtcdResult>;
  private readonly roster: Roster;
  private readonly executor: Executor;
  private readonly headers: Headers;
  private readonly quota: Quota;

  constructor(
    store: EtcdStore,
    group: Group<EtcdResult>,
    roster: Roster,
    executor: Executor,
    headers: Headers,
    quota: Quota,
  ) {
    this.store = store;
    this.group = group;
    this.roster = roster;
    this.executor = executor;
    this.headers = headers;
    this.quota = quota;
  }

  register(gate: LeaderGate): void {
    const path = (method: string): string => `/etcdserverpb.Maintenance/${method}`;
    gate.unary(path("Status"), (call) => this.status(call));
    gate.unary(path("Alarm"), (call, message) => this.alarm(call, message));
    gate.unary(path("Defragment"), (call) => {
      this.store.sweep(Infinity);
      call.respond(defragmentResponse.toBytes({ header: this.header() }));
    });
    gate.unary(path("HashKV"), (call, message) => this.hashKv(call, message));
    gate.unary(path("MoveLeader"), (call, message) => this.moveLeader(call, message));
  }

  private header(): ReturnType<Headers["at"]> {
    return this.headers.at(this.store.revision);
  }

  private status(call: ServerCall): void {
    const { role, term, leader, commitIndex, appliedIndex } = this.group.status();
    const { total, live } = this.store.sizes();
    const response = statusResponse.create({
      header: this.header(),
      version: ETCD_VERSION,
      dbSize: total,
      dbSizeInUse: live,
      leader: this.roster.members.find(({ node }) => node === leader)?.id ?? "",
      raftIndex: commitIndex,
      raftTerm: term,
      raftAppliedIndex: appliedIndex,
      errors: this.errors(leader !== undefined),
      isLearner: role === "learner",
    });
    call.respond(statusResponse.toBytes(response));
  }

  private errors(hasLeader: boolean): readonly string[] {
    const errors = hasLeader ? [] : ["etcdserver: no leader"];
    if (!this.quota.exceeded) return errors;
    return [...errors, `memberID:${BigInt(`0x${this.roster.self.id}`)} alarm:NOSPACE `];
  }

  /** Lists this member if it is full. There is nothing to disarm; raising one would promise to refuse writes. */
  private alarm(call: ServerCall, message: Buffer): void {
    if (alarmRequest.decode(message).action === ALARM_ACTIVATE) {
      return call.finish(Status.unimplemented, "etcdserver: alarms cannot be raised here");
    }
    const { id: memberId } = this.roster.self;
    const alarms = this.quota.exceeded ? [{ memberId, alarm: NO_SPACE }] : [];
    call.respond(alarmResponse.toBytes({ header: this.header(), alarms }));
  }

  private hashKv(call: ServerCall, message: Buffer): void {
    const result = this.store.hashKv(hashKvRequest.decode(message).revision);
    if (result.type === "error") return fail(call, result);
    const { hash, compactRevision, hashRevision } = result;
    const response = { header: this.header(), hash, compactRevision, hashRevision };
    call.respond(hashKvResponse.toBytes(response));
  }

  private moveLeader(call: ServerCall, message: Buffer): void {
    const { targetId } = moveLeaderRequest.decode(message);
    const target = this.roster.members.find(({ id }) => id === targetId);
    if (!this.group.isLeader) {
      return call.finish(Status.failedPrecondition, "etcdserver: not leader");
    }
    if (target === undefined) {
      return call.finish(Status.failedPrecondition, "etcdserver: bad leader transferee");
    }
    const moved = this.group.transfer(target.node).then((leader) => leader === target.node);
    const answer = (): void => {
      call.respond(moveLeaderResponse.toBytes({ header: this.header() }));
    };
    this.executor.track(call, moved, answer, TRANSFER_TIMED_OUT);
  }
}
