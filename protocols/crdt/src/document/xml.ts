/** XML as editors keep it: fragments of elements, formatted texts and hooks. */

import { copyValue } from "./any.ts";
import { XML_ELEMENT, XML_FRAGMENT, XML_HOOK, XML_TEXT } from "./branch.ts";
import { type Delta } from "./events.ts";
import { xmlSource } from "./json.ts";
import { getKey, hasKey, keysOf, removeKey, setKey } from "./keys.ts";
import { SharedList } from "./list.ts";
import { SharedKeys } from "./map.ts";
import { fillText, SharedText } from "./text.ts";
import { Draft, type Input, type Output } from "./view.ts";

/** What fragments and elements have in common: a list of XML nodes. */
export abstract class XmlParent extends SharedList {
  /** Inserts nodes made by the drafts of {@link XmlElement}, {@link XmlText} and {@link XmlHook}. */
  insert(index: number, nodes: readonly Draft[]): void {
    this.insertAll(index, nodes);
  }

  push(...nodes: Draft[]): void {
    this.insertAll(this.length, nodes);
  }

  /** Its source; nothing is escaped. */
  override toString(): string {
    return xmlSource(this.doc.store, this.branch, 0);
  }

  toJSON(): string {
    return this.toString();
  }
}

/** A list of XML nodes without a name of its own: the root of a document, or a part of one. */
export class XmlFragment extends XmlParent {
  static readonly kind: number = XML_FRAGMENT;

  static draft(nodes: readonly Draft[] = []): Draft {
    return new Draft(XML_FRAGMENT, "", (doc, branch) => {
      if (nodes.length > 0) new XmlFragment(doc, branch).insert(0, nodes);
    });
  }
}

export class XmlElement extends XmlParent {
  static readonly kind: number = XML_ELEMENT;

  static draft(
    name: string,
    attributes: Readonly<Record<string, Input>> = {},
    nodes: readonly Draft[] = [],
  ): Draft {
    const copies = Object.entries(attributes).map(
      ([key, input]) => [key, input instanceof Draft ? input : copyValue(input)] as const,
    );
    return new Draft(XML_ELEMENT, name, (doc, branch) => {
      const element = new XmlElement(doc, branch);
      for (const [key, input] of copies) element.setAttribute(key, input);
      if (nodes.length > 0) element.insert(0, nodes);
    });
  }

  get name(): string {
    return this.branch.name;
  }

  setAttribute(key: string, value: Input): void {
    setKey(this, key, value);
  }

  removeAttribute(key: string): void {
    removeKey(this, key);
  }

  hasAttribute(key: string): boolean {
    return hasKey(this, key);
  }

  attribute(key: string): Output {
    return getKey(this, key);
  }

  attributes(): Readonly<Record<string, Output>> {
    return keysOf(this);
  }
}

/** Text among XML nodes. Its formatting is written as elements around it. */
export class XmlText extends SharedText {
  static override readonly kind: number = XML_TEXT;

  static override draft(content: string | Delta = ""): Draft {
    return new Draft(XML_TEXT, "", (doc, branch) => {
      fillText(new XmlText(doc, branch), content);
    });
  }

  override toJSON(): string {
    return xmlSource(this.doc.store, this.branch, 0);
  }
}

/** A place that an editor fills by its own means, with the data it needs for that. */
export class XmlHook extends SharedKeys {
  static readonly kind: number = XML_HOOK;

  static draft(name: string): Draft {
    return new Draft(XML_HOOK, name, () => undefined);
  }

  get name(): string {
    return this.branch.name;
  }
}
