/** The whole suite. Every ordered log passes every scene, with every seed. */

import { graphScenes } from "./graphs.ts";
import { memberScenes } from "./members.ts";
import type { Scene } from "./scene.ts";
import { trafficScenes } from "./traffic.ts";

export const conformance: readonly Scene[] = [...trafficScenes, ...memberScenes, ...graphScenes];
