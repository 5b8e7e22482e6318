export {
  type CallHandler,
  type ClientSubject,
  type ServerCall,
  type StreamHandler,
  type UnaryHandler,
} from "./server/call.ts";
export { type CallObserver, GrpcServer, type GrpcServerOptions } from "./server/server.ts";
export { Status, type StatusCode } from "./server/status.ts";
export { defaultLimits, type Http2Limits } from "./http2/limits.ts";
export { type HttpRequest } from "./http2/plain-request.ts";
export { type HeaderPair } from "./http2/hpack-encoder.ts";
export { type EndOfTurn } from "./http2/turn.ts";
export { ProtobufError, type ProtobufErrorCode } from "./protobuf/error.ts";
export {
  bool,
  bytes,
  enumeration,
  type Field,
  id64,
  int32,
  int64,
  nested,
  type OneOf,
  oneof,
  repeated,
  string,
  uint32,
  uint64,
  type ValueOf,
} from "./protobuf/fields.ts";
export { type Fields, message, type MessageCodec, type MessageOf } from "./protobuf/message.ts";
export { Writer } from "./protobuf/writer.ts";
export { Health, HealthService, type HealthStatus } from "./server/health.ts";
