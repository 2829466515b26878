export { connectReporter } from "./report/connect-reporter.ts"
export { createTcpTunnel, type RunningTcpTunnel, type TcpTunnelDeps } from "./service.ts"
export { startTunnel } from "./start-tunnel.ts"
export type { Tunnel, TunnelDeps } from "./tunnel.ts"
