#!/usr/bin/env node
import module from "node:module";

// Newer Nodes keep what they compiled from one start to the next.
module.enableCompileCache?.();

const { main, onOutputError } = await import("../dist/main.js");

process.stdout.on("error", onOutputError);
process.exitCode = await main(process.argv.slice(2));
