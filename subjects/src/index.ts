export { catalogue, subjectNamed } from "./catalogue.ts";
export { gossip } from "./gossip/subject.ts";
export { paxos } from "./paxos/subject.ts";
export { raft } from "./raft/subject.ts";
export { replica } from "./replica/subject.ts";
export { zab } from "./zab/subject.ts";
