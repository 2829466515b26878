export {
  createDeviceClient,
  type Device,
  type DeviceClient,
  type DeviceClientDeps,
  type ReadOptions,
} from "./device-client.ts"
export type { DeviceDirectory } from "./directory.ts"
export { comparePositions, endOf, type Position } from "./position.ts"
export { RecordRing } from "./record-ring.ts"
export type { StreamEvent } from "./stream-event.ts"
export type { WriteOptions } from "./writer.ts"
