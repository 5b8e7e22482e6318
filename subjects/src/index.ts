export { catalogue, subjectNamed } from "./catalogue.ts";
export { raft } from "./raft/subject.ts";
