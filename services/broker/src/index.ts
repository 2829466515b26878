export { createBroker, type RunningBroker } from "./service.ts"
