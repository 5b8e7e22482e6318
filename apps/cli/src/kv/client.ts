/**
 * A client of the etcd ports: tries one endpoint after the other, and repeats
 * on another only what certainly did not happen or may happen twice.
 */

import {
  Client,
  type ClientDuplexStream,
  credentials,
  type ServiceError,
  status as grpcStatus,
} from "@grpc/grpc-js";

import { type AskTls } from "../cluster/ask.ts";
import { CliError } from "../errors.ts";
import { type WatchRequest, type WatchResponse } from "@quorate/etcd/wire";
import { type Method, watchMethod } from "./messages.ts";
import { reach } from "./reach.ts";

export interface KvClientOptions {
  /** `host:port`. */
  readonly endpoints: readonly string[];
  readonly tls: AskTls | undefined;
}

const CALL_MS = 10_000;
/** No proxy: the environment's is for the world, and a cluster is near. */
const CHANNEL = {
  "grpc.enable_http_proxy": 0,
  "grpc.max_receive_message_length": -1,
  "grpc.initial_reconnect_backoff_ms": 200,
} as const;

export interface OpenWatch {
  readonly endpoint: string;
  readonly stream: ClientDuplexStream<WatchRequest, WatchResponse>;
}

/** A call that an endpoint could not take, and why. */
interface Missed {
  readonly endpoint: string;
  readonly reason: string;
  /** Whether nobody seems to be there at all. */
  readonly absent: boolean;
}

export class KvClient {
  private readonly options: KvClientOptions;
  private readonly clients = new Map<string, Client>();

  constructor(options: KvClientOptions) {
    this.options = options;
  }

  /**
   * Calls the first endpoint that is there.
   * @throws CliError if none is, or if the server refuses.
   */
  async call<Request, Response>(
    method: Method<Request, Response>,
    fields: Partial<Request>,
  ): Promise<Response> {
    const request = method.request.create(fields);
    const missed: Missed[] = [];
    for (const endpoint of this.options.endpoints) {
      const silent = await reach(endpoint, this.options.tls);
      if (silent !== undefined) {
        missed.push({ ...silent, endpoint });
        continue;
      }
      try {
        return await unary(this.client(endpoint), method, request);
      } catch (error) {
        const refused = asServiceError(error);
        if (!method.readOnly || refused.code !== grpcStatus.UNAVAILABLE) {
          throw refusal(endpoint, refused);
        }
        missed.push({ endpoint, reason: inShort(refused.details), absent: false });
      }
    }
    throw nobody(missed);
  }

  /**
   * Opens a watch on the first endpoint that is there.
   * @throws CliError if none is.
   */
  async openWatch(): Promise<OpenWatch> {
    const missed: Missed[] = [];
    for (const endpoint of this.options.endpoints) {
      const silent = await reach(endpoint, this.options.tls);
      if (silent === undefined) {
        const { path, request, response } = watchMethod;
        const stream = this.client(endpoint).makeBidiStreamRequest(
          path,
          (message: WatchRequest) => request.toBytes(message),
          (data: Buffer) => response.decode(data),
        );
        return { endpoint, stream };
      }
      missed.push({ ...silent, endpoint });
    }
    throw nobody(missed);
  }

  close(): void {
    for (const client of this.clients.values()) client.close();
    this.clients.clear();
  }

  private client(endpoint: string): Client {
    const known = this.clients.get(endpoint);
    if (known !== undefined) return known;
    const { tls } = this.options;
    // The library names the server by its address where there is no name, which Node warns about.
    if (tls !== undefined) Object.assign(process, { noDeprecation: true });
    const security =
      tls === undefined
        ? credentials.createInsecure()
        : credentials.createSsl(pem(tls.ca), pem(tls.key), pem(tls.cert));
    const client = new Client(endpoint, security, CHANNEL);
    this.clients.set(endpoint, client);
    return client;
  }
}

/** Without what the library adds for its own authors. */
function inShort(details: string): string {
  return details
    .replace(/^No connection established\. Last error: /, "")
    .replace(/ \(\d{4}-[^)]*\)/, "")
    .replace(/\.? Resolution note:.*$/, "");
}

function pem(text: string | undefined): Buffer | null {
  return text === undefined ? null : Buffer.from(text);
}

function unary<Request, Response>(
  client: Client,
  { path, request, response }: Method<Request, Response>,
  message: Request,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest<Request, Response>(
      path,
      (value) => request.toBytes(value),
      (data) => response.decode(data),
      message,
      { deadline: Date.now() + CALL_MS },
      (error, answer) => {
        if (error !== null) reject(error);
        else if (answer === undefined) reject(new Error(`${path} answered nothing`));
        else resolve(answer);
      },
    );
  });
}

function asServiceError(error: unknown): ServiceError {
  if (error instanceof Error && "details" in error && "code" in error) {
    // Every failed call ends with one of these.
    return error as ServiceError;
  }
  throw error;
}

/** The server's words, with what to think of the outcome where it is unknown. */
function refusal(endpoint: string, { code, details }: ServiceError): CliError {
  const unknown = code === grpcStatus.DEADLINE_EXCEEDED || code === grpcStatus.UNAVAILABLE;
  const doubt = unknown ? "; whether it was done is unknown" : "";
  return new CliError({ code: "refused", endpoint, reason: `${details}${doubt}` });
}

function nobody(missed: readonly Missed[]): CliError {
  const endpoints = missed.map(({ endpoint }) => endpoint);
  // Who is there and cannot be talked to tells more than who is not.
  const { reason, absent } = missed.find((each) => !each.absent) ??
    missed[0] ?? { reason: "no endpoint", absent: true };
  return new CliError({ code: "unreachable", endpoints, reason, absent });
}
