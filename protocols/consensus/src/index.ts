export type { Applied, SnapshotSink, SnapshotSource, StateMachine } from "./state-machine.ts";
