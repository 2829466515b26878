export { createHttpGateway, type HttpGatewayDeps, type RunningHttpGateway } from "./service.ts"
