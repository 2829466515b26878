export { type BrokerStore, type BrokerStoreOptions, createBrokerStore } from "./replica/broker-store.ts"
