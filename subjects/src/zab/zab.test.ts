import type { Subject } from "@quorate/lab";

import { goesAsItWent, keepsItsClaims, passesItsExam } from "../log/trials.test.ts";
import { zab } from "./subject.ts";

const subject: Subject = zab;

const FIRST_SEEDS = {
  "Z2-epoch-before-history": 12,
  "B15-counts-any-epoch": 38,
  "R3-hasty-restart": 9,
  "impatient-follower": 92,
};

keepsItsClaims("Zab", subject);
passesItsExam(subject, FIRST_SEEDS);
goesAsItWent("Zab", subject, "zab");
