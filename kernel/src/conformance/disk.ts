/** Cases of checkpoints (K7), positions (K11), recovery (K13) and crashes (K14). */

import { checkpoint, output, outputEagerly, persist, setTimer, whenDurable } from "./script.ts";
import { inspect } from "./script.ts";
import { inOrderOnce, isPrefix, type Scene, type Stage } from "./stage.ts";

function range(from: number, to: number): readonly string[] {
  return Array.from({ length: to - from }, (_, i) => `r${from + i}`);
}

/** Restarts a and checks that it knows at least `durable` texts and nothing but a prefix of all. */
async function recoverPrefix(stage: Stage, durable: number): Promise<void> {
  const before = stage.part("a");
  await stage.world.crash("a");
  stage.world.releaseDisk("a");
  await stage.world.start("a");
  const recovered = stage.recovered("a");
  stage.check(isPrefix(recovered, before.texts), "what is lost is a suffix");
  stage.check(recovered.length >= durable, "what was reported durable is not lost");
}

export const diskScenes: readonly Scene[] = [
  {
    duty: "K11",
    title: "positions grow by one with each record of a life",
    cast: "plain",
    async play(stage) {
      for (let life = 0; life < 2; life++) {
        for (const text of range(0, 20)) stage.ask("a", persist(text), persist(`${text}b`));
        await stage.settle("a");
        const positions = stage.persisted("a").map(({ position }) => position);
        stage.check(positions.length === 40 && positions[0]! >= 1, "every record has a position");
        const consecutive = positions.every((p, i) => i === 0 || p === positions[i - 1]! + 1);
        stage.check(consecutive, "positions are consecutive");
        await stage.restart("a");
      }
    },
  },
  {
    duty: "K11",
    title: "durability is reported in order, of this life, and of all in the end",
    async play(stage) {
      for (let life = 0; life < 3; life++) {
        for (const text of range(0, 30)) stage.ask("a", persist(text));
        await stage.settle("a");
        let last = 0;
        let persisted = 0;
        for (const note of stage.life("a")) {
          if (note.type === "persisted") persisted = note.position;
          if (note.type !== "durable") continue;
          stage.check(note.position >= last, "reported positions never fall");
          stage.check(note.position <= persisted, "only what was persisted is reported");
          last = note.position;
        }
        stage.check(last === persisted, "the last record is reported");
        await stage.restart("a");
      }
    },
  },
  {
    duty: "K11",
    title: "durability is not reported before it is so",
    needs: "heldDisk",
    async play(stage) {
      await stage.settle("a");
      stage.world.holdDisk("a");
      const before = stage.sights("a", "durable").length;
      stage.ask("a", persist("r1"), whenDurable(outputEagerly("durable")));
      stage.ask("a", persist("r2"));
      await stage.while("a");
      stage.check(stage.sights("a", "durable").length === before, "a held disk reports nothing");
      stage.world.releaseDisk("a");
      await stage.until("it is reported", () => stage.outputs("a").includes("durable"));
      await stage.settle("a");
    },
  },
  {
    duty: "K13",
    title: "recovery brings back the records in order, before the start, once",
    async play(stage) {
      const all: string[] = [];
      for (let life = 0; life < 4; life++) {
        const more = range(life * 10, life * 10 + 10);
        stage.check(inOrderOnce(all, stage.recovered("a")), "every record comes back once");
        stage.check(stage.recovered("a").length === all.length, "and nothing else");
        for (const text of more) stage.ask("a", persist(text));
        await stage.settle("a");
        all.push(...more);
        await stage.restart("a");
        stage.check(stage.life("a")[0]?.type === "started", "a life begins with its start");
      }
    },
  },
  {
    duty: "K13",
    title: "recovered records keep their bytes",
    async play(stage) {
      for (const text of range(0, 200)) stage.ask("a", persist(text));
      await stage.settle("a");
      await stage.restart("a");
      for (const text of range(200, 300)) stage.ask("a", persist(text));
      await stage.settle("a");
      stage.ask("a", inspect, outputEagerly("inspected"));
      await stage.until("it looks again", () => stage.outputs("a").includes("inspected"));
      const { count, spoilt } = stage.sights("a", "inspected").at(-1)!;
      stage.check(count === 200 && spoilt.length === 0, "200 records are as they were written");
    },
  },
  {
    duty: "K13",
    title: "what was recovered is durable: nothing waits for it",
    needs: "heldDisk",
    async play(stage) {
      stage.ask("a", persist("r"));
      await stage.settle("a");
      await stage.restart("a");
      stage.world.holdDisk("a");
      stage.ask("a", output("free"));
      await stage.until("an effect without new records before it leaves", () =>
        stage.outputs("a").includes("free"),
      );
      stage.world.releaseDisk("a");
    },
  },
  {
    duty: "K14",
    title: "a crash between persisting and durability loses a suffix only",
    needs: "heldDisk",
    async play(stage) {
      for (let life = 0; life < 3; life++) {
        for (const text of range(0, 5)) stage.ask("a", persist(`${life}${text}`));
        await stage.settle("a");
        const durable = stage.part("a").texts.length;
        stage.world.holdDisk("a");
        for (const text of range(5, 10)) stage.ask("a", persist(`${life}${text}`));
        await stage.while("a");
        await recoverPrefix(stage, durable);
      }
      const all = [...stage.recovered("a")];
      await stage.restart("a");
      stage.check(inOrderOnce(all, stage.recovered("a")), "what one life recovers, the next does");
    },
  },
  {
    duty: "K14",
    title: "a crash in the middle of writing loses a suffix only",
    async play(stage) {
      for (let life = 0; life < 3; life++) {
        for (const text of range(0, 40)) stage.ask("a", persist(`${life}${text}`), output(text));
        const before = stage.durable("a");
        await stage.until("some become durable", () => stage.durable("a") > before);
        const durable = stage
          .persisted("a")
          .filter(({ position }) => position <= stage.durable("a")).length;
        const known = stage.recovered("a").length;
        await recoverPrefix(stage, known + durable);
      }
    },
  },
  {
    duty: "K7",
    title: "a checkpoint recovers to the state that it replaces",
    async play(stage) {
      const all: string[] = [];
      for (let life = 0; life < 4; life++) {
        const [before, after] = [
          range(life * 20, life * 20 + 10),
          range(life * 20 + 10, life * 20 + 20),
        ];
        for (const text of before) stage.ask("a", persist(text));
        if (life % 2 === 1) await stage.settle("a");
        stage.ask("a", checkpoint);
        for (const text of after) stage.ask("a", persist(text));
        await stage.settle("a");
        if (life > 1) await stage.while("a");
        all.push(...before, ...after);
        await stage.restart("a");
        const recovered = stage.recovered("a");
        stage.check(recovered.length === all.length, "nothing is lost and nothing is doubled");
        stage.check(isPrefix(recovered, all), "everything is in its place");
      }
    },
  },
  {
    duty: "K7",
    title: "a checkpoint between records of one step keeps what follows it",
    async play(stage) {
      stage.ask("a", persist("r0"), checkpoint, persist("r1"), checkpoint, persist("r2"));
      stage.ask("a", checkpoint);
      await stage.settle("a");
      for (let life = 0; life < 3; life++) {
        await stage.restart("a");
        const recovered = stage.recovered("a");
        stage.check(recovered.length === 3, "three records are recovered");
        stage.check(isPrefix(recovered, range(0, 3)), "in order");
        stage.ask("a", checkpoint);
        await stage.while("a");
      }
    },
  },
  {
    duty: "K7",
    title: "a crash while a checkpoint is unfinished costs no durable record",
    needs: "heldDisk",
    async play(stage) {
      for (const text of range(0, 10)) stage.ask("a", persist(text));
      await stage.settle("a");
      stage.world.holdDisk("a");
      stage.ask("a", persist("r10"), checkpoint, persist("r11"), checkpoint);
      await stage.while("a");
      await recoverPrefix(stage, 10);
      stage.ask("a", checkpoint);
      stage.ask("a", persist("x"));
      await stage.settle("a");
      const all = [...stage.part("a").texts];
      await stage.restart("a");
      stage.check(inOrderOnce(all, stage.recovered("a")), "a later checkpoint works as well");
    },
  },
  {
    duty: "K7",
    title: "records may be produced while others are persisted",
    async play(stage) {
      for (const text of range(0, 400)) stage.ask("a", persist(text));
      await stage.settle("a");
      stage.ask("a", checkpoint);
      let next = 400;
      for (; next < 440; next += 4) {
        stage.ask("a", ...range(next, next + 4).map(persist));
        if (next % 8 === 0) stage.ask("a", checkpoint);
        await stage.settle("a");
      }
      await stage.restart("a");
      const recovered = stage.recovered("a");
      stage.check(recovered.length === next, "all records are recovered, once");
      stage.check(isPrefix(recovered, range(0, next)), "the image holds what was before it only");
    },
  },
  {
    duty: "K7",
    title: "what a checkpoint reads is read to its end or let go of",
    async play(stage) {
      for (const text of range(0, 50)) stage.ask("a", persist(text));
      stage.ask("a", checkpoint);
      stage.ask("a", persist("x"), checkpoint);
      stage.ask("a", persist("y"), checkpoint);
      await stage.settle("a");
      const { readers } = stage.part("a");
      stage.ask("a", setTimer("wait", 5, [outputEagerly("wait")], 200));
      await stage.until("every reader is closed", () => readers.opened === readers.closed);
    },
  },
  {
    duty: "K7",
    title: "nothing waits for a checkpoint",
    needs: "heldDisk",
    async play(stage) {
      for (const text of range(0, 10)) stage.ask("a", persist(text));
      await stage.settle("a");
      stage.world.holdDisk("a");
      stage.ask("a", checkpoint, output("free"));
      await stage.until("an effect after a checkpoint leaves", () =>
        stage.outputs("a").includes("free"),
      );
      stage.world.releaseDisk("a");
    },
  },
];
