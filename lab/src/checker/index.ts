export { type Action, actionText } from "./action.ts";
export type {
  Ask,
  Budgets,
  Envelope,
  Happening,
  History,
  Model,
  Network,
  NodeView,
  Symmetry,
  View,
} from "./model.ts";
export { ImpossibleAction, Path } from "./path.ts";
export { check, type CheckOptions, type Progress, type Verdict, type Violation } from "./search.ts";
