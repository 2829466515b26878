import { once } from "node:events"
import { connect, type Socket } from "node:net"
import { type Clock, systemClock } from "@serialcast/primitives"
import { createPeerWatch } from "@serialcast/primitives/tcp"
import { createLogger, type RawTunnel } from "@serialcast/service-kit"
import { endingOf } from "@serialcast/testkit"
import { onTestFinished } from "vitest"
import { startRawTunnel } from "../raw/raw-tunnel.ts"
import type { Tunnel } from "../tunnel.ts"
import { PlayedDevices } from "./test-device.ts"

export interface TestTunnel {
  readonly tunnel: Tunnel
  readonly devices: PlayedDevices
  readonly connect: () => Promise<TestClient>
}

/** A TCP client that keeps what it gets. */
export interface TestClient {
  readonly socket: Socket
  /** As one-byte characters. */
  readonly text: string
  /** How the connection ended. */
  readonly ended: Promise<"fin" | "reset">
}

/** A real raw tunnel on a free port, in front of a device that the test plays. */
export async function startTestTunnel(
  changes: Partial<RawTunnel> = {},
  {
    clock = systemClock,
    devices = new PlayedDevices(),
    onLogLine = () => {},
  }: { clock?: Clock; devices?: PlayedDevices; onLogLine?: (line: unknown) => void } = {},
): Promise<TestTunnel> {
  const config: RawTunnel = {
    type: "raw",
    listen: { host: "127.0.0.1", port: 0 },
    device: "local/uno",
    allow: null,
    idleTimeoutMs: null,
    maxClients: 32,
    // Single letters go on at once.
    allowHttp: true,
    onUnplug: "keep",
    replayBytes: 0,
    readOnly: false,
    ...changes,
  }
  const peers = createPeerWatch({ clock: systemClock })
  const destination = { write: (line: string) => onLogLine(JSON.parse(line)) }
  const log = createLogger({ name: "test", level: "info", pretty: false, destination })
  const tunnel = await startRawTunnel(config, { devices, clock, peers, log, onChange: () => {} })
  onTestFinished(() => tunnel.stop())
  return { tunnel, devices, connect: () => connectClient(tunnel.address?.port ?? 0) }
}

export async function connectClient(port: number, host = "127.0.0.1"): Promise<TestClient> {
  const socket = connect({ host, port, allowHalfOpen: true })
  onTestFinished(() => void socket.destroy())
  let text = ""
  socket.setEncoding("latin1").on("data", (part: string) => {
    text += part
  })
  socket.on("end", () => socket.end())
  socket.on("error", () => {})
  await once(socket, "connect")
  const ended = endingOf(socket)
  return {
    socket,
    ended,
    get text() {
      return text
    },
  }
}
