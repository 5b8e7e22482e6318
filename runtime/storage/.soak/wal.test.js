import assert from "node:assert/strict";
import { test } from "node:test";
import { InvariantViolation } from "@quorate/kernel";
import { MAX_RECORD_BYTES } from "./frame.js";
import { SimulatedDisk } from "./simulated-disk.js";
import { dice, DIRECTORY, fault, Model, open, payload, settle, turns, } from "./wal-harness.test.js";
async function reopen(disk, model) {
    const opened = await open(disk, model);
    model.accept(opened.recovered, true);
    return opened;
}
test("what many groups append in one turn is one batch and one sync", async () => {
    const disk = new SimulatedDisk();
    const model = new Model();
    const syncs = [];
    const { wal } = await open(disk, model, { onSync: (_, bytes) => syncs.push(bytes) });
    const before = disk.operations;
    for (let group = 0; group < 10; group++)
        model.append(wal, group, 20);
    assert.ok(wal.pendingBytes > 200);
    wal.flush();
    wal.flush();
    await settle(wal);
    assert.equal(syncs.length, 1);
    assert.equal(disk.operations - before, 1);
    assert.equal(wal.statistics.batches, 1);
    assert.equal(wal.statistics.records, 10);
    assert.equal(model.durable, model.all.at(-1)?.position);
    await wal.close();
    await (await reopen(disk, model)).wal.close();
});
test("what is appended while a write is in flight is the next batch, which starts by itself", async () => {
    const disk = new SimulatedDisk();
    const model = new Model();
    const { wal } = await open(disk, model);
    model.append(wal, 1, 20);
    wal.flush();
    model.append(wal, 1, 20);
    model.append(wal, 2, 20);
    wal.flush();
    assert.equal(wal.statistics.batches, 0);
    await turns(8);
    assert.equal(wal.statistics.batches, 2);
    assert.equal(wal.pendingBytes, 0);
    await wal.close();
});
test("a batch is cut at its bound, and a record larger than batch and segment is one", async () => {
    const disk = new SimulatedDisk();
    const model = new Model();
    const { wal } = await open(disk, model);
    for (let count = 0; count < 30; count++)
        model.append(wal, 0, 100);
    model.append(wal, 0, 10_000);
    model.append(wal, 0, 100);
    await settle(wal);
    assert.ok(wal.statistics.batches >= 5);
    await wal.close();
    await (await reopen(disk, model)).wal.close();
});
test("the log rolls over many segments and comes back in order", async () => {
    const disk = new SimulatedDisk();
    const model = new Model();
    const { wal } = await open(disk, model);
    for (let round = 0; round < 100; round++) {
        model.append(wal, round % 7, 40 + ((round * 37) % 200));
        wal.flush();
        await turns(round % 5);
    }
    await settle(wal);
    assert.ok(wal.statistics.segmentsCreated > 5);
    await wal.close();
    const names = disk.names(DIRECTORY);
    assert.ok(names.includes("segment-0000000000000001.wal"));
    assert.ok(!names.some((name) => name.endsWith(".tmp")));
    await (await reopen(disk, model)).wal.close();
});
test("a checkpoint replaces what its group appended before and deletes the segments nobody needs", async () => {
    const disk = new SimulatedDisk();
    const model = new Model();
    const { wal } = await open(disk, model);
    for (let round = 0; round < 60; round++) {
        model.append(wal, round % 2, 150);
        await settle(wal);
    }
    assert.ok(wal.logBytes(0) > 4000);
    wal.checkpoint(0, model.checkpoint(0, true));
    assert.equal(wal.logBytes(0), 0);
    await turns(40);
    assert.ok(wal.statistics.segmentsDeleted < 1, "the other group needs them");
    assert.equal(wal.oldestGroup, 1);
    model.append(wal, 0, 10);
    const before = disk.names(DIRECTORY).length;
    wal.checkpoint(1, [...model.checkpoint(1, false)]);
    await turns(150);
    assert.ok(wal.statistics.segmentsDeleted > 3);
    assert.ok(disk.names(DIRECTORY).length < before);
    await wal.close();
    const again = await reopen(disk, model);
    assert.equal(again.recovered.get(0)?.length, 2);
    assert.ok(again.wal.logBytes(0) < 100);
    await again.wal.close();
});
test("the first record behind a checkpoint keeps its segment alive", async () => {
    const disk = new SimulatedDisk();
    const model = new Model();
    const { wal } = await open(disk, model);
    model.append(wal, 0, 50);
    wal.checkpoint(0, [...model.checkpoint(0, false)]);
    model.append(wal, 0, 50);
    await turns(60);
    for (let round = 0; round < 40; round++) {
        model.append(wal, 1, 200);
        await settle(wal);
    }
    wal.checkpoint(1, [...model.checkpoint(1, true)]);
    await turns(150);
    assert.equal(wal.oldestGroup, 0);
    await wal.close();
    await (await reopen(disk, model)).wal.close();
});
test("neither a lone mark nor a batch larger than a segment makes an empty segment", async () => {
    const disk = new SimulatedDisk();
    const model = new Model();
    const { wal, idle } = await open(disk, model);
    model.append(wal, 0, 5000);
    await settle(wal);
    idle();
    await turns(10);
    assert.equal(wal.statistics.syncs, 2);
    assert.ok(wal.statistics.segmentsCreated < 1);
    model.append(wal, 0, 5000);
    await settle(wal);
    assert.equal(wal.statistics.segmentsCreated, 1);
    await wal.close();
    await (await reopen(disk, model)).wal.close();
});
test("of several checkpoints asked for while one runs only the latest of a group is written", async () => {
    const disk = new SimulatedDisk();
    const model = new Model();
    const { wal } = await open(disk, model);
    const begun = [];
    function* records(name, group) {
        begun.push(name);
        yield* model.checkpoint(group, false);
    }
    for (let round = 0; round < 20; round++)
        model.append(wal, round % 2, 50);
    wal.checkpoint(0, records("a", 0));
    await turns(3);
    for (const name of ["b", "c"])
        wal.checkpoint(0, records(name, 0));
    for (const name of ["d", "e"])
        wal.checkpoint(1, records(name, 1));
    await turns(150);
    assert.deepEqual(begun, ["a", "c", "e"]);
    assert.equal(wal.statistics.checkpoints, 3);
    await wal.close();
    await (await reopen(disk, model)).wal.close();
});
test("a checkpoint is pulled in slices, one per turn of the event loop", async () => {
    const disk = new SimulatedDisk();
    const { wal } = await open(disk);
    let pulled = 0;
    function* records() {
        for (; pulled < 100; pulled++)
            yield payload(0, 100);
    }
    wal.checkpoint(0, records());
    await turns(4);
    assert.ok(pulled > 0 && pulled < 10, `${pulled} pulled`);
    await wal.close();
    assert.ok(!disk.names(DIRECTORY).some((name) => name.startsWith("checkpoint")));
});
test("an empty checkpoint makes a group forget everything", async () => {
    const disk = new SimulatedDisk();
    const model = new Model();
    const { wal } = await open(disk, model);
    model.append(wal, 3, 50);
    wal.checkpoint(3, []);
    await turns(60);
    await wal.close();
    const again = await open(disk);
    assert.deepEqual([...again.recovered.keys()], []);
    await again.wal.close();
});
test("a checkpoint whose records throw is a failure that names the group", async () => {
    const { wal, failures } = await open(new SimulatedDisk());
    wal.checkpoint(7, {
        next() {
            throw new TypeError("no such field");
        },
    });
    await turns(10);
    assert.match(failures[0]?.message ?? "", /checkpoint of group 7 failed \(no such field\)/);
    await wal.close();
});
test("a failed write is final: one report, appends refused, and a later success changes nothing", async () => {
    for (const code of ["EIO", "ENOSPC"]) {
        const disk = new SimulatedDisk(dice(5));
        const model = new Model();
        const { wal, failures } = await open(disk, model);
        model.append(wal, 0, 30);
        await settle(wal);
        const { durable } = model;
        disk.fate = ({ type }) => (type === "writeDurably" ? code : undefined);
        model.append(wal, 0, 30);
        wal.flush();
        model.append(wal, 0, 30);
        await turns(5);
        disk.fate = () => undefined;
        wal.flush();
        await turns(5);
        assert.equal(failures.length, 1);
        assert.equal(failures[0]?.code, code === "EIO" ? "io" : "diskFull");
        assert.throws(() => wal.append(0, payload(0, 4)), failures[0]);
        assert.throws(() => wal.checkpoint(0, []), failures[0]);
        assert.equal(model.durable, durable);
        await wal.close();
        const again = await open(disk.restart(true), model);
        model.accept(again.recovered);
        await again.wal.close();
    }
});
test("a failure of any background operation is final and told once", async () => {
    for (const type of ["open", "write", "sync", "rename", "syncDirectory", "unlink"]) {
        const disk = new SimulatedDisk(dice(1));
        const model = new Model();
        const { wal, failures } = await open(disk, model);
        disk.fate = (operation) => (operation.type === type ? "EIO" : undefined);
        for (let round = 0; round < 30 && failures.length === 0; round++) {
            model.append(wal, 0, 200);
            wal.flush();
            if (round % 10 === 9)
                wal.checkpoint(0, [...model.checkpoint(0, true)]);
            await turns(12);
        }
        await turns(40);
        assert.equal(failures.length, 1, type);
        assert.equal(failures[0]?.code, "io");
        await wal.close();
        const again = await open(disk.restart(false), model);
        model.accept(again.recovered);
        await again.wal.close();
    }
});
test("what was read after a failed sync is written again, so that it survives the next power cut", async () => {
    for (let seed = 0; seed < 20; seed++) {
        const disk = new SimulatedDisk(dice(seed));
        const model = new Model();
        const { wal } = await open(disk, model);
        model.append(wal, 0, 30);
        await settle(wal);
        disk.fate = ({ type }) => (type === "writeDurably" ? "EIO" : undefined);
        model.append(wal, 0, 300);
        wal.flush();
        await turns(3);
        await wal.close();
        const killed = disk.restart(false);
        const again = await open(killed, model);
        model.accept(again.recovered);
        const last = await open(killed.restart(true), model);
        model.accept(last.recovered, true);
        await last.wal.close();
        await again.wal.close();
    }
});
test("a closed log refuses appends, and closing completes what was appended", async () => {
    const disk = new SimulatedDisk();
    const model = new Model();
    const { wal, failures } = await open(disk, model);
    model.append(wal, 0, 30);
    const closing = wal.close();
    assert.throws(() => wal.append(0, payload(1, 4)), { code: "closed" });
    await closing;
    await wal.close();
    assert.equal(model.durable, 1);
    assert.deepEqual(failures, []);
    await (await reopen(disk.restart(true), model)).wal.close();
});
test("a record over the limit and a group out of range are refused", async () => {
    const { wal } = await open(new SimulatedDisk());
    assert.throws(() => wal.append(0, new Uint8Array(MAX_RECORD_BYTES + 1)), {
        code: "recordTooLarge",
    });
    for (const group of [-1, 0.5, 0xffff_ffff, 2 ** 32]) {
        assert.throws(() => wal.append(group, payload(0, 4)), InvariantViolation);
    }
    await wal.close();
});
test("a log that must exist is not begun anew", async () => {
    const error = await fault(() => open(new SimulatedDisk(), new Model(), { mustExist: true }));
    assert.equal(error.code, "missingSegment");
});
//# sourceMappingURL=wal.test.js.map