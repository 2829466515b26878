export { deviceAt, devicesOf } from "./config.ts"
export { createSerialAgent } from "./service.ts"
