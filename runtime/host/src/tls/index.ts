/** What TLS fails of, in words that are the same at every port and for every command. */

export { Complaints } from "./complaints.ts";
export { HUNG_UP, isTlsHello, tlsFault } from "./faults.ts";
