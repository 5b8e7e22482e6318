export { Agent, type AgentOptions, type QuerySink } from "./agent/agent.ts";
export { parseAddress } from "./agent/addresses.ts";
export {
  agentConfig,
  type AgentConfig,
  DEFAULT_PORT,
  DEFAULT_RPC_PORT,
  type Profile,
  PROFILE_NAMES,
} from "./agent/config.ts";
export { type AgentEvent, eventName } from "./agent/event.ts";
export { AgentError, parseKey, readKeyring, readTags } from "./agent/files.ts";
export { type EventHandler, parseHandler } from "./agent/handlers.ts";
export { type SerfAddresses, SerfService, type SerfServiceOptions } from "./service.ts";
export { Keyring } from "./wire/keyring.ts";
