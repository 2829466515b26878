export { type Locking, lockFile } from "./lock-file.ts"
