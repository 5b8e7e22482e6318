/** What some notes of a group's log say, in a sentence for the operator. */

import type { LineageNote } from "@quorate/consensus";

/** @returns `undefined` for notes whose type says enough. */
export function sentence(note: { readonly type: string }): string | undefined {
  // Notes of engines have types of their own, none of these.
  const told = note as LineageNote;
  switch (told.type) {
    case "moved":
      return `moved to ${told.generation.engine}, generation ${told.generation.number}, after entry ${told.index}`;
    case "otherEngine":
      return `is on ${told.found}, as its data says; the setting ${told.set} is not heeded (quorate consensus move changes engines)`;
    case "engineDiffers":
      return `${told.peer} runs ${told.generation.engine} in generation ${told.generation.number}: it was founded with another setting, and the two do not understand each other`;
    case "retired":
      return `generation ${told.generation.number} on ${told.generation.engine} answers no more`;
    default:
      return undefined;
  }
}
