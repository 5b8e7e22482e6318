export { type Case, ConformanceViolation, type Model, type Subject } from "./subject.ts";
export { conformance } from "./suite.ts";
