export {
  type DeliveryResult,
  type DeliveryRun,
  measureDelivery,
  measureStorm,
  type StormResult,
} from "./delivery.ts";
export { compareDetectors, type DetectorResult, type DetectorRun } from "./detectors.ts";
export {
  LIFEGUARD_PLAN,
  type LifeguardPlan,
  type LifeguardResult,
  type LifeguardRow,
  type LifeguardRun,
  lifeguardTable,
  measureDetection,
  measureLifeguard,
  type Variant,
  VARIANTS,
} from "./lifeguard.ts";
export {
  type DeliveryPlan,
  deliveryReport,
  detectionReport,
  type DetectorsPlan,
  detectorsReport,
  lifeguardReport,
  type Report,
  type ScalePlan,
  scaleReport,
  stormReport,
} from "./report.ts";
export { measureScale, type ScaleResult, type ScaleRun } from "./scale.ts";
export type { World, WorldOptions, Worlds } from "./world.ts";
