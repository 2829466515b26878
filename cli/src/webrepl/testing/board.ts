import type { WebreplConfig } from "@serialcast/service-kit"

/** `local/pty` as a board on a free port, with the password `a long secret`. For tests. */
export function board(changes: Partial<WebreplConfig> = {}): WebreplConfig {
  return {
    listen: { host: "127.0.0.1", port: 0 },
    device: "local/pty",
    password: { text: "a long secret" },
    watchers: 0,
    takeOver: false,
    staticHost: null,
    debug: false,
    tls: null,
    ...changes,
  }
}
