/** What tunnels of every type have, for `local/pty` on a free port. For tests. */
export const tunnelDefaults = {
  listen: { host: "127.0.0.1", port: 0 },
  device: "local/pty",
  allow: null,
  idleTimeoutMs: null,
  maxClients: 32,
  allowHttp: false,
  onUnplug: "keep",
  replayBytes: 0,
} as const
