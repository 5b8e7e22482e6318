export { twoPhaseModel, type TwoPhaseParameters } from "./two-phase.ts";
