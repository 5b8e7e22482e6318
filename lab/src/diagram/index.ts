export { type Arrow, type Mark, Recorder, type Sent } from "./history.ts";
export { spaceTime } from "./space-time.ts";
