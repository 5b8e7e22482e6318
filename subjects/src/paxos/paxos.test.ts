import type { Subject } from "@quorate/lab";

import {
  goesAsItWent,
  keepsItsClaims,
  keepsItsClaimsOnSnapshots,
  mendsItsDisks,
  passesItsExam,
} from "../log/trials.test.ts";
import { paxos } from "./subject.ts";

const subject: Subject = paxos;

keepsItsClaims("Multi-Paxos", subject);
mendsItsDisks("Multi-Paxos", subject);
keepsItsClaimsOnSnapshots("Multi-Paxos", subject);
passesItsExam(subject, {});
goesAsItWent("Multi-Paxos", subject, "paxos");
