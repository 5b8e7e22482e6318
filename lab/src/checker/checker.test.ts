import assert from "node:assert/strict";
import { test } from "node:test";

import type { Context, NodeId, Position, Process, RequestId, Speaks } from "@quorate/kernel";

import { type Action, actionText } from "./action.ts";
import { ImpossibleAction, Path } from "./path.ts";
import { check } from "./search.ts";
import type { Model } from "./model.ts";

/** A node that adds up what it is told, and tells others what it was asked to. */
type Message = { readonly add: number };
type Words = Speaks<{
  Message: Message;
  Timer: "tick" | "tock";
  Record: { readonly total: number };
  Request: { readonly to: NodeId; readonly add: number };
  Response: number;
  Output: number;
  Note: { readonly type: "told" | "woke" };
}>;
type Ctx = Context<Words>;

class Adder implements Process<Words> {
  total = 0;
  /** Handlers called, in order; only where a test wants them. */
  readonly log: string[] = [];

  recover({ total }: { readonly total: number }): void {
    this.total = total;
  }

  onStart(_ctx: Ctx): void {}

  onMessage(ctx: Ctx, _from: NodeId, { add }: Message): void {
    this.total += add;
    ctx.persist({ total: this.total });
    ctx.output(this.total);
    ctx.note({ type: "told" });
  }

  onRequest(ctx: Ctx, id: RequestId, { to, add }: Words["Request"]): void {
    ctx.send(to, { add });
    ctx.reply(id, add);
  }

  onDurable(_ctx: Ctx, _position: Position): void {}
}

type AdderModel = Model<Words, Adder>;

function model(more: Partial<AdderModel> = {}): AdderModel {
  return {
    nodes: ["a", "b"],
    create: () => new Adder(),
    network: "bag",
    disk: "instant",
    asks: [
      { node: "a", request: { to: "b", add: 1 } },
      { node: "a", request: { to: "b", add: 2 } },
    ],
    ...more,
  };
}

const totalOf = (view: Parameters<NonNullable<AdderModel["always"]>>[0], node: NodeId): number =>
  view.nodes.find(({ id }) => id === node)!.process?.total ?? -1;

test("every order of events is seen, and each state once", () => {
  // Asked 0, 1 or 2 times; each message asked for is on its way or has arrived: 1 + 2 + 4.
  const { states, coverage, depth, ends } = check(model());
  assert.deepEqual([states, coverage, depth, ends], [7, "exhaustive", 4, 1]);
});

test("the first broken promise comes with a shortest run, which replays", () => {
  const broken = model({
    always: (view) => (totalOf(view, "b") === 3 ? "b has three" : undefined),
  });
  const { violation, coverage } = check(broken);
  assert.ok(violation);
  assert.equal(coverage, "stopped");
  assert.deepEqual(violation.trace.map(actionText), [
    "a is asked: {to b, add 1}",
    "a is asked: {to b, add 2}",
    "b receives from a: {add 1}",
    "b receives from a: {add 2}",
  ]);
  const path = Path.along(broken, violation.trace);
  assert.equal(path.broken, "b has three");
  assert.equal(path.process("b")!.total, 3);
});

test("a trace survives JSON", () => {
  const broken = model({ always: (view) => (totalOf(view, "b") === 2 ? "two" : undefined) });
  const trace = JSON.parse(JSON.stringify(check(broken).violation!.trace)) as Action<Words>[];
  assert.equal(Path.along(broken, trace).broken, "two");
});

test("a step that the state does not allow is refused in words", () => {
  const path = new Path(model());
  path.startAll();
  const early: Action<Words> = { type: "deliver", from: "a", to: "b", message: { add: 1 } };
  assert.throws(() => path.perform(early), ImpossibleAction);
  assert.throws(() => path.perform(early), /cannot happen here: b receives from a: \{add 1\}/);
});

test("networks differ in what may arrive", () => {
  const totals = (
    network: AdderModel["network"],
    budgets: AdderModel["budgets"] = {},
  ): number[] => {
    const seen = new Set<number>();
    const asks = [1, 2].map((add) => ({ node: "a", request: { to: "b", add } }));
    check(
      model({
        network,
        budgets,
        asks,
        beyond: ({ total }) => (total > 6 ? "total at most 6" : undefined),
        always: (view) => void seen.add(totalOf(view, "b")),
      }),
    );
    return [...seen].toSorted((a, b) => a - b);
  };
  assert.deepEqual(totals("bag"), [0, 1, 2, 3]);
  assert.deepEqual(totals("ordered"), [0, 1, 3], "the second never comes first");
  assert.deepEqual(totals("ordered", { drops: 1 }), [0, 1, 2, 3], "unless the first is lost");
  assert.deepEqual(totals("persistent"), [0, 1, 2, 3, 4, 5, 6]);
  assert.deepEqual(totals("bag", { duplicates: 1 }), [0, 1, 2, 3, 4, 5]);
});

test("messages equal to one on its way add nothing in a merging network", () => {
  const asks = [1, 1].map((add) => ({ node: "a", request: { to: "b", add } }));
  const most = (network: AdderModel["network"]): number => {
    let seen = 0;
    const count = (view: Parameters<NonNullable<AdderModel["always"]>>[0]): undefined => {
      seen = Math.max(seen, view.messages().length);
    };
    check(model({ network, asks, always: count }));
    return seen;
  };
  assert.deepEqual([most("bag"), most("merging")], [2, 1]);
});

test("a crash keeps any prefix of what was being written, and nothing that waited for it", () => {
  const recovered = new Set<string>();
  const outputs = new Set<number>();
  const verdict = check<Words, Adder, number>({
    nodes: ["a", "b"],
    create: () => new Adder(),
    network: "bag",
    asks: [1, 2].map((add) => ({ node: "a", request: { to: "b", add } })),
    budgets: { crashes: 1 },
    history: {
      initial: 0,
      after(last, node, happening) {
        if (happening.type !== "output") return last;
        outputs.add(happening.value);
        return node === "b" ? happening.value : last;
      },
    },
    always({ nodes, history }) {
      const b = nodes[1]!;
      recovered.add(`${b.process!.total} ${b.recovered.total}`);
      // What b told anybody is on its disk.
      return b.recovered.total < history ? "told and then forgotten" : undefined;
    },
  });
  assert.equal(verdict.violation, undefined);
  assert.deepEqual(
    [...outputs].toSorted((a, b) => a - b),
    [1, 2, 3],
  );
  for (const pair of ["3 0", "3 1", "3 2", "3 3", "0 0", "1 1", "2 2"]) {
    assert.ok(recovered.has(pair), `total and disk ${pair}`);
  }
});

test("a node that is down takes no steps until it starts", () => {
  const down = { budgets: { crashes: 1 }, restarts: "never" } as const;
  const gone = check(
    model({
      ...down,
      sometimes: { "b is gone": ({ nodes }) => nodes[1]!.process === undefined },
    }),
  );
  assert.deepEqual(gone.unreached, []);
  const back = check(
    model({
      budgets: { crashes: 1 },
      restarts: "later",
      sometimes: {
        "b heard after it was down": (view) => totalOf(view, "b") === 3,
        "both are up": ({ nodes }) => nodes.every(({ process }) => process !== undefined),
      },
    }),
  );
  assert.deepEqual(back.unreached, []);
});

test("marks and states that no run reaches are told", () => {
  const { unreached } = check(
    model({
      markOf: ({ type }) => type,
      marks: ["told", "woke"],
      sometimes: { "b has four": (view) => totalOf(view, "b") === 4 },
    }),
  );
  assert.deepEqual(unreached, ["woke", "b has four"]);
});

test("the verdict says which bound it rests on, and when it was ended", () => {
  const bounded = check(
    model({ beyond: ({ total }) => (total > 2 ? "total at most 2" : undefined) }),
  );
  assert.deepEqual([bounded.coverage, [...bounded.bounds]], ["bounded", [["total at most 2", 2]]]);
  const narrow = check(model({ budgets: { inFlight: 1 } }));
  assert.deepEqual([...narrow.bounds.keys()], ["at most 1 messages in flight"]);
  assert.equal(check(model(), { maxStates: 3 }).coverage, "stopped");
  assert.equal(check(model(), { onProgress: () => "stop" }).coverage, "stopped");
  assert.ok(check(model()).collisionProbability < 1e-17);
});

test("a claim that a process makes of itself ends the search with the step that breaks it", () => {
  class Strict extends Adder {
    override onMessage(ctx: Ctx, from: NodeId, message: Message): void {
      super.onMessage(ctx, from, message);
      if (this.total === 2) throw new RangeError("two is one too many");
    }
  }
  const strict = model({ create: () => new Strict() });
  const { violation } = check(strict);
  assert.equal(violation!.promise, "RangeError: two is one too many");
  assert.equal(violation!.trace.length, 3);
  assert.equal(Path.along(strict, violation!.trace).broken, violation!.promise);
});

/** Throws dice when it starts, and when it is told something. */
class Gambler extends Adder {
  override onStart(ctx: Ctx): void {
    this.total = 10 * ctx.choose(2);
    ctx.setTimer("tick", 5);
  }

  onTimer(ctx: Ctx, timer: string): void {
    if (timer === "tick") this.total += ctx.choose(3);
  }
}

test("every fall of the dice is seen, and the run to it says how they fell", () => {
  const gamble: AdderModel = {
    nodes: ["a"],
    create: () => new Gambler(),
    network: "bag",
    always: (view) => (totalOf(view, "a") === 12 ? "twelve" : undefined),
  };
  const { violation } = check(gamble);
  assert.deepEqual(violation!.trace, [
    { type: "start", node: "a", choices: [1] },
    { type: "timeout", node: "a", timer: "tick", choices: [2] },
  ]);
  assert.equal(Path.along(gamble, violation!.trace).broken, "twelve");
  const all = check({ ...gamble, always: () => undefined });
  // Two beginnings, three falls each, of which one changes nothing but that the timer is off.
  assert.equal(all.states, 8);
});

test("a budget of timers is kept by name and in all", () => {
  class Clock extends Adder {
    override onStart(ctx: Ctx): void {
      ctx.setTimer("tick", 1);
      ctx.setTimer("tock", 1);
    }

    onTimer(ctx: Ctx, timer: Words["Timer"]): void {
      this.total += timer === "tick" ? 1 : 10;
      ctx.setTimer(timer, 1);
    }
  }
  const most = (budgets: AdderModel["budgets"]): number => {
    let seen = 0;
    check<Words, Adder>({
      nodes: ["a"],
      create: () => new Clock(),
      network: "bag",
      ...(budgets === undefined ? {} : { budgets }),
      always: (view) => void (seen = Math.max(seen, totalOf(view, "a"))),
    });
    return seen;
  };
  assert.equal(most({ timeouts: 3 }), 30);
  assert.equal(most({ timeoutsOf: { tick: 2, tock: 1 } }), 12);
  assert.equal(most({ timeouts: 2, timeoutsOf: { tock: 1 } }), 11);
});

test("time passes in ticks where a model has them", () => {
  const times = new Set<number>();
  class Watch extends Adder {
    override onMessage(ctx: Ctx): void {
      times.add(ctx.now);
    }
  }
  check(model({ create: () => new Watch(), budgets: { ticks: 2 }, tickMs: 50 }));
  assert.deepEqual(
    [...times].toSorted((a, b) => a - b),
    [0, 50, 100],
  );
});

test("a search may begin at the end of a run", () => {
  const path = new Path(model());
  path.startAll();
  path.perform({ type: "ask", node: "a", ask: 0, request: { to: "b", add: 1 } });
  path.settle();
  const { states, violation } = check(
    model({ always: (view) => (totalOf(view, "b") === 3 ? "three" : undefined) }),
    { from: path.actions },
  );
  assert.equal(states, 3);
  assert.equal(violation!.trace.length, 4, "its run begins with that one");
});

test("nodes that are asked different things are not alike", () => {
  assert.throws(() => check(model({ symmetry: { nodes: ["a", "b"] } })), /b is asked the same/);
});

test("symmetry with many like nodes is as exact as with few", () => {
  // Each of six tells one other of its own accord; who told whom is all there is.
  class Teller extends Adder {
    override onStart(ctx: Ctx): void {
      ctx.setTimer("tick", 1);
    }

    onTimer(ctx: Ctx): void {
      ctx.send("hub", { add: 1 });
    }
  }
  const sizes = [3, 4, 5, 6].map((count) => {
    const tellers = Array.from({ length: count }, (_, i) => `t${i}`);
    const { states, coverage } = check({
      nodes: ["hub", ...tellers],
      create: (node) => (node === "hub" ? new Adder() : new Teller()),
      network: "bag",
      disk: "instant",
      symmetry: { nodes: tellers },
    } satisfies AdderModel);
    assert.equal(coverage, "exhaustive");
    return states;
  });
  // Of so many tellers, some have told and of those some were heard: (n + 1)(n + 2) / 2.
  assert.deepEqual(sizes, [10, 15, 21, 28]);
});
