/** Ways to watch one simulation with several eyes. */

import type { Process, Vocabulary } from "@quorate/kernel";

import type { Observer } from "../simulator/observer.ts";
import type { Witness } from "../subject.ts";

type AnyObserver = Observer<Vocabulary, Process<Vocabulary>>;

/** A witness's hooks; those it does not have stay out of the way. */
export function hooksOf(witness: Witness): AnyObserver {
  const observer: { -readonly [K in keyof AnyObserver]: AnyObserver[K] } = {};
  if (witness.started !== undefined)
    observer.started = (node, process) => witness.started!(node, process);
  if (witness.stopped !== undefined)
    observer.stopped = (node, kept) => witness.stopped!(node, kept);
  if (witness.wiped !== undefined) observer.wiped = (node) => witness.wiped!(node);
  if (witness.persisted !== undefined) {
    observer.persisted = (node, record, position) => witness.persisted!(node, record, position);
  }
  if (witness.durable !== undefined)
    observer.durable = (node, position) => witness.durable!(node, position);
  if (witness.checkpointed !== undefined)
    observer.checkpointed = (node, records) => witness.checkpointed!(node, records);
  if (witness.sent !== undefined)
    observer.sent = (from, to, message) => witness.sent!(from, to, message);
  if (witness.noted !== undefined) observer.noted = (node, note) => witness.noted!(node, note);
  if (witness.said !== undefined) observer.said = (node, output) => witness.said!(node, output);
  return observer;
}

/** Tells one, then the other. */
export function both(one: AnyObserver, two: AnyObserver): AnyObserver {
  return {
    started(...told) {
      one.started?.(...told);
      two.started?.(...told);
    },
    stopped(...told) {
      one.stopped?.(...told);
      two.stopped?.(...told);
    },
    wiped(...told) {
      one.wiped?.(...told);
      two.wiped?.(...told);
    },
    persisted(...told) {
      one.persisted?.(...told);
      two.persisted?.(...told);
    },
    durable(...told) {
      one.durable?.(...told);
      two.durable?.(...told);
    },
    checkpointed(...told) {
      one.checkpointed?.(...told);
      two.checkpointed?.(...told);
    },
    sent(...told) {
      one.sent?.(...told);
      two.sent?.(...told);
    },
    noted(...told) {
      one.noted?.(...told);
      two.noted?.(...told);
    },
    said(...told) {
      one.said?.(...told);
      two.said?.(...told);
    },
    answered(...told) {
      one.answered?.(...told);
      two.answered?.(...told);
    },
    steps(...told) {
      one.steps?.(...told);
      two.steps?.(...told);
    },
    stepped(...told) {
      one.stepped?.(...told);
      two.stepped?.(...told);
    },
  };
}
