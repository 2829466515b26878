// Services count with these, so that there is one version of the metrics library.
export { Counter, Gauge, Histogram, type Registry } from "prom-client"
export {
  type AttemptLimiter,
  type AttemptLimiterOptions,
  createAttemptLimiter,
} from "./access/attempt-limiter.ts"
export { createLoginCookie, type LoginCookie } from "./access/login-cookie.ts"
export { networkOf } from "./access/network-of.ts"
export { createRefusals, type Refusals, type RefusalsOptions } from "./access/refusals.ts"
export { createRequestGuard, type RequestGuard, type RequestGuardOptions } from "./access/request-guard.ts"
export type { GuardedRequest, SiteCheckOptions } from "./access/site-check.ts"
export {
  brokerPassword,
  createTokenFile,
  loadToken,
  readToken,
  type TokenFile,
  tokenFileAdvice,
  tokensMatch,
} from "./access/token.ts"
export { type AdminOptions, createAdminServer, createMetrics } from "./admin/admin-server.ts"
export { type RunningAdmin, startAdmin } from "./admin/start-admin.ts"
export { type BrokerConnection, brokerUrl, connectToBroker } from "./broker/connect-to-broker.ts"
export { closestName } from "./config/closest-name.ts"
export { type ListeningPart, listeningParts } from "./config/colliding-listeners.ts"
export type {
  Config,
  DeviceConfig,
  ForwardConfig,
  ListenAddress,
  OwnResourcesConfig,
  RawTunnel,
  ResourcesConfig,
  Rfc2217Tunnel,
  SerialtcpClientTunnel,
  SerialtcpServerTunnel,
  TunnelConfig,
  WebhookConfig,
  WebreplConfig,
} from "./config/config.ts"
export { defaultDevice } from "./config/default-device.ts"
export { configJsonSchema } from "./config/json-schema.ts"
export { formatListenAddress, isLoopback, parseListenAddress } from "./config/listen-address.ts"
export { type ConfigInput, loadConfig } from "./config/load-config.ts"
export { namedDevices } from "./config/named-devices.ts"
export { didYouMean } from "./config/problems.ts"
export { configReference } from "./config/reference.ts"
export { DeviceAway } from "./devices/device-away.ts"
export { tellUnknownDevice, unknownDevice } from "./devices/unknown-device.ts"
export { untilKnown } from "./devices/until-known.ts"
export { failureText } from "./lifecycle/failure-text.ts"
export {
  type DeviceServiceDeps,
  type DeviceServiceOptions,
  runDeviceService,
} from "./lifecycle/run-device-service.ts"
export { type MainOptions, runMain } from "./lifecycle/run-main.ts"
export { type OnceOptions, runOnce } from "./lifecycle/run-once.ts"
export type { RunningService, ServiceDeps } from "./lifecycle/service.ts"
export { type RunningGroup, type StartOptions, startInOrder } from "./lifecycle/start-in-order.ts"
export { type StopSignalOptions, stopSignal } from "./lifecycle/stop-signal.ts"
export { type Acceptor, acceptClients, type Refusal } from "./listen/accept-clients.ts"
export { type CloseOptions, closeServer } from "./listen/close-server.ts"
export { shareConnections } from "./listen/connection-shares.ts"
export { createHttpServer, type HttpServerOptions } from "./listen/http-server.ts"
export { listen } from "./listen/listen.ts"
export { onUpgrade, type UpgradeHandler } from "./listen/on-upgrade.ts"
export { peerName, unmapAddress } from "./listen/peer-name.ts"
export { readSocket } from "./listen/read-socket.ts"
export { maskCredentials } from "./log/log-line.ts"
export { createLogger, type Logger, type LoggerOptions } from "./log/logger.ts"
export { RefusalLog } from "./log/refusal-log.ts"
export { type ProblemDocument, problemDocument, sendProblem } from "./problem/problem.ts"
export { refuseUpgrade } from "./problem/refuse-upgrade.ts"
export { answerError, refuseMethod } from "./problem/request-error.ts"
export { version } from "./version.ts"
