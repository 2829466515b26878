export { createProcessBroker, type RunningProcessBroker } from "./process-broker.ts"
export { createBroker, type RunningBroker } from "./service.ts"
