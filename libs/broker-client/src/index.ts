export {
  type BrokerClient,
  type BrokerClientDeps,
  type BrokerClientOptions,
  type BrokerLog,
  type CallOptions,
  type Message,
  type MessageHandler,
} from "./client.ts"
export { createBrokerClient } from "./create-broker-client.ts"
export { streamOpener } from "./tcp-stream.ts"
