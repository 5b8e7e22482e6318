/**
 * What a judge must know of the thing under test: a sequential specification,
 * and a few facts about its operations that spare the search most of its work.
 *
 * An operation here carries its answer. {@link Model.apply} refuses it where
 * the specification would have answered otherwise; an operation whose answer is
 * unknown is refused where it would change nothing, since whether it happened
 * there can never matter.
 */

/** A sequential specification. States are values: nothing changes one once it is made. */
export interface Model<State, Op> {
  /** For messages. */
  readonly name: string;
  /** The state before anything happened. */
  readonly initial: State;
  /** The name of the initial state in the sense of {@link Traits.needs}, if states have names. */
  readonly origin?: string;
  /** The state after an operation, or undefined where it cannot have been answered as it was. */
  apply(state: State, op: Op): State | undefined;
  /** A 32-bit integer, equal for equal states. Cheap: it is asked for every state made. */
  hash(state: State): number;
  equal(a: State, b: State): boolean;
  traits(op: Op): Traits;
  /**
   * Whether operations that {@link Traits.grows grow} may still turn the state into one in which
   * `op` is answered as it was. May err only on the side of true.
   */
  reaches?(state: State, op: Op): boolean;
  /** The state that an operation leaves if it is the same whatever it found, for {@link reaches}. */
  leaves?(op: Op): State | undefined;
}

/** Facts about one operation with its answer. Those left out are not known and cost only time. */
export interface Traits {
  /** Operations of one effect turn every state into the same state, or are all refused. */
  readonly effect: string;
  /** True if it leaves every state as it is. */
  readonly readOnly: boolean;
  /**
   * The name of the only state that does not refuse it. Null: none refuses it, and it leaves the
   * same state whatever it found. A state must have one name, and a name one state.
   */
  readonly needs?: string | null;
  /** The name of the only state that refuses it, which changes no other. Only with `readOnly`. */
  readonly avoids?: string;
  /** The name of the state that it leaves. */
  readonly leaves?: string;
  /**
   * True if it is one of those that {@link Model.reaches} speaks of. If it needs no certain state,
   * then no state may refuse it.
   */
  readonly grows?: boolean;
}

/** One operation and when it ran. The interval is closed: equal times overlap. */
export interface Call<Op> {
  readonly op: Op;
  /** Taken before the request was sent. Any integer clock, the same for all calls. */
  readonly call: number;
  /** Taken after the answer was in. Left out: it may have happened at any time after `call`, or never. */
  readonly ret?: number | undefined;
}
