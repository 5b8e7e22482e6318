import assert from "node:assert/strict";
import { test } from "node:test";

import {
  Doc,
  Nested,
  SharedArray,
  SharedMap,
  SharedText,
  XmlElement,
  XmlFragment,
  XmlHook,
  XmlText,
} from "./index.ts";

test("positions outside of a sequence are refused", () => {
  const doc = new Doc({ client: 1 });
  const text = doc.root("t", SharedText);
  const array = doc.root("a", SharedArray);
  for (const index of [-1, 1, 0.5, Number.NaN]) {
    assert.throws(() => text.insert(index, "x"), { code: "out-of-range" });
    assert.throws(() => array.insert(index, [1]), { code: "out-of-range" });
  }
  assert.throws(() => text.delete(0, 1), { code: "out-of-range" });
  assert.throws(() => text.applyDelta([{ insert: "a" }, { retain: 1 }]), { code: "out-of-range" });
  assert.equal(text.length, 0);
});

test("a deleted type can be read no more and changed no more", () => {
  const map = new Doc({ client: 1 }).root("m", SharedMap);
  map.set("child", SharedMap.draft({ a: 1 }));
  const child = map.open("child", SharedMap)!;
  map.delete("child");
  assert.equal(child.isAttached, false);
  assert.throws(() => child.set("a", 2), { code: "detached" });
  assert.equal(child.get("a"), undefined);
  assert.equal(map.open("child", SharedMap), undefined);
});

test("a shared type is of one kind", () => {
  const doc = new Doc({ client: 1 });
  const map = doc.root("m", SharedMap);
  assert.equal(doc.root("m", SharedMap), map);
  assert.throws(() => doc.root("m", SharedText), { code: "wrong-type" });
  map.set("child", SharedText.draft("x"));
  assert.throws(() => map.open("child", SharedArray), { code: "wrong-type" });
});

test("values that no update can carry are refused before anything changes", () => {
  const doc = new Doc({ client: 1 });
  const map = doc.root("m", SharedMap);
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  for (const value of [() => 1, Symbol("x"), new Date(0), cycle, 2n ** 70n]) {
    assert.throws(() => map.set("k", value as never), { code: "unsupported-value" });
  }
  assert.throws(() => doc.root("t", SharedText).embed(0, 1n), { code: "unsupported-value" });
  assert.equal(doc.encode().length, 2);
});

test("values are copied on their way in", () => {
  const map = new Doc({ client: 1 }).root("m", SharedMap);
  const value = { list: [1] };
  map.set("k", value);
  value.list.push(2);
  assert.deepEqual(map.get("k"), { list: [1] });
});

test("a key called __proto__ is a key", () => {
  const doc = new Doc({ client: 1 });
  doc.root("m", SharedMap).set("k", JSON.parse('{"__proto__":{"polluted":true}}'));
  const copy = new Doc({ client: 2 });
  copy.apply(doc.encode());
  const value = copy.root("m", SharedMap).get("k") as { polluted?: boolean };
  assert.equal(value.polluted, undefined);
  assert.deepEqual(Object.keys(value), ["__proto__"]);
});

test("XML nests elements, formatted text and hooks", () => {
  const doc = new Doc({ client: 1 });
  const xml = doc.root("x", XmlFragment);
  const text = XmlText.draft([{ insert: "a" }, { insert: "b", attributes: { em: {} } }]);
  xml.push(XmlElement.draft("P", { class: "c" }, [text]), XmlHook.draft("widget"));
  assert.equal(xml.length, 2);
  const hook = xml.get(1);
  assert.ok(hook instanceof Nested && hook.is(XmlHook));
  hook.as(XmlHook).set("n", 1);
  assert.equal(hook.as(XmlHook).name, "widget");
  xml.delete(1);
  assert.equal(xml.toString(), '<p class="c">a<em>b</em></p>');
  const element = xml.get(0);
  assert.ok(element instanceof Nested);
  element.as(XmlElement).removeAttribute("class");
  assert.deepEqual(element.as(XmlElement).attributes(), {});
  assert.equal(element.as(XmlElement).parent?.as(XmlFragment), xml);
});
