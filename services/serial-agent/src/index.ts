export { deviceAt, devicesOf } from "./config.ts"
export { createMemoryJournals } from "./journal/memory-journals.ts"
export { createSerialAgent } from "./service.ts"
