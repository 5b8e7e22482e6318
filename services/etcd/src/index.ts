export { type Binary, binaryOf, bytesOf, NO_END, prefixEnd } from "./wire/binary.ts";
export { EtcdStore, type LeaseInfo, type StoreSizes } from "./store/store.ts";
