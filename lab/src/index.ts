export { Simulation, type SimulationOptions } from "./simulation.ts";
