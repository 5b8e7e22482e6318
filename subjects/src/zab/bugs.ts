import type { Zab, ZabConfig } from "@quorate/consensus";

import type { Planted } from "../log/planted.ts";

export const zabBugs: readonly Planted<ZabConfig, Zab>[] = [];
