import type { Subject } from "@quorate/lab";

import { standsTrial } from "../log/trials.test.ts";
import { paxos } from "./subject.ts";

const subject: Subject = paxos;

standsTrial("Multi-Paxos", subject, "paxos");
