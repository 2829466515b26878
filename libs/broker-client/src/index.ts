export {
  type BrokerClient,
  type BrokerClientDeps,
  type BrokerClientOptions,
  type BrokerLink,
  type BrokerLog,
  type CallOptions,
  type Message,
  type MessageHandler,
} from "./client.ts"
export { createBrokerClient } from "./create-broker-client.ts"
export type { LocalBroker } from "./local-broker.ts"
export { OwnWords } from "./own-words.ts"
export { streamOpener } from "./tcp-stream.ts"
