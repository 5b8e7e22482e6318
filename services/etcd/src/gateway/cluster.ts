/** The Cluster service: who the members are. Changing them comes with membership changes. */

import { type ServerCall } from "@quorate/grpc";

import { memberListRequest, memberListResponse } from "../wire/cluster-messages.ts";
import { type EtcdStore } from "../store/store.ts";
import { type Executor } from "./executor.ts";
import { type Headers } from "./headers.ts";
import { type LeaderGate } from "./leader-gate.ts";
import { type Membership } from "./members.ts";

export function registerCluster(
  gate: LeaderGate,
  membership: Membership,
  store: EtcdStore,
  executor: Executor,
  headers: Headers,
): void {
  const members = membership.members.map((member) => ({ ...member, isLearner: false }));
  const answer = (call: ServerCall): void => {
    const header = headers.at(store.revision);
    call.respond(memberListResponse.toBytes({ header, members }));
  };
  gate.unary("/etcdserverpb.Cluster/MemberList", (call, message) => {
    const { linearizable } = memberListRequest.decode(message);
    if (linearizable) executor.whenReadable(call, () => answer(call));
    else answer(call);
  });
}
