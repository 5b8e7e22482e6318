/** The version of the package, read when somebody asks. */

import fs from "node:fs";

let known: string | undefined;

/** As in package.json. */
export function version(): string {
  if (known === undefined) {
    const text = fs.readFileSync(new URL("../package.json", import.meta.url), "utf8");
    // The package's own manifest, beside this very file.
    known = (JSON.parse(text) as { version: string }).version;
  }
  return known;
}
