export { atMs } from "./at-ms.ts"
export { clockTroubles } from "./clock-troubles.ts"
export { checkCounting, countingBytes } from "./counting-bytes.ts"
export { createDeviceState } from "./device-state.ts"
export { type EventuallyOptions, eventually } from "./eventually.ts"
export { FakeClock } from "./fake-clock.ts"
export {
  createFarNetwork,
  type FarClient,
  type FarClientOptions,
  type FarNetwork,
  mayHaveFarNetwork,
} from "./far-network.ts"
export { createFaultProxy, type FaultProxy, type FaultProxyOptions } from "./fault-proxy.ts"
export { freePort } from "./free-port.ts"
export {
  createMemoryBroker,
  type MemoryBroker,
  type MemoryBrokerOptions,
  type PublishedMessage,
} from "./memory-broker.ts"
export { openPty, type PtyDevice, type WaitOptions } from "./pty-device.ts"
export { type SeededRandom, seededRandom } from "./seeded-random.ts"
export { SerialtcpProgram, type SerialtcpRole, type SerialtcpTcp } from "./serialtcp-program.ts"
export { endingOf } from "./tcp-ending.ts"
export { createTemporaryFolder, type TemporaryFolder } from "./temporary-folder.ts"
export { createTunnelClient, createTunnelState } from "./tunnel-state.ts"
export { connectWebrepl, type ServerFrame, WebreplClient, type WebreplClientKind } from "./webrepl-client.ts"
export { getByWebrepl, putByWebrepl, WebreplFileError } from "./webrepl-files.ts"
