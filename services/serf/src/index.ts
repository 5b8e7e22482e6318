export { Keyring, KeyringError } from "./wire/keyring.ts";
