export { type Publication, PUBLICATIONS } from "./publications.ts";
export { paxos } from "./paxos.ts";
export { twoPhaseCommit } from "./two-phase-commit.ts";
