export { type Address, type PeerTls } from "./transport/transport.ts";
export { Driver, type DriverOptions, type SharedLog, type SharedTransport } from "./driver.ts";
export { type EngineName, engines, type LogSettings } from "./engines.ts";
export { HostError, type HostErrorData } from "./errors.ts";
export { ClientSession, Group, type GroupStatus, type Member, type ReadLevel } from "./group.ts";
export { type NodeMetrics } from "./metrics.ts";
export { type GroupOptions, Node, type NodeOptions } from "./node.ts";
export { createLogger, type Logger, type LogLevel } from "./logging.ts";
export { Turn } from "./turn.ts";
