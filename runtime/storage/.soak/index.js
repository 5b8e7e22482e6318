export {} from "./checkpoint-file.js";
export { DataDirectory } from "./data-directory.js";
export {} from "./disk.js";
export { StorageError } from "./errors.js";
export { MAX_RECORD_BYTES } from "./frame.js";
export {} from "./lock.js";
export { nodeDisk } from "./node-disk.js";
export { SimulatedDisk } from "./simulated-disk.js";
export { Wal } from "./wal.js";
export {} from "./wal-options.js";
//# sourceMappingURL=index.js.map