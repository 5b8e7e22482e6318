/** What the CRDT benchmark asks of a process, and what it hears back. */

export interface Job {
  readonly library: string;
  readonly measure: Measure;
  readonly directory: string;
  readonly trace: string;
  /** Where `prepare` puts updates and bytes, and others find them. */
  readonly scratch: string;
  /** A measurement that takes longer is cut off. */
  readonly capMs: number;
}

export type Measure =
  | "prepare"
  | "local"
  | "localTx"
  | "remote"
  | "batch"
  | "encode"
  | "load"
  | "stored"
  | "heap"
  | "pastClients";

export interface Result {
  /** CPU milliseconds of the best run, and of the first. */
  readonly ms?: number;
  readonly firstMs?: number;
  /** The share that was done before the cut. */
  readonly done?: number;
  readonly bytes?: number;
  readonly touchMs?: number;
  readonly chars?: number;
}

