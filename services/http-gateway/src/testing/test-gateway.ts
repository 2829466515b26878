import type { DeviceState, TunnelState } from "@serialcast/contract"
import type { Device, DeviceClient, StreamEvent } from "@serialcast/device-stream"
import { type Clock, systemClock } from "@serialcast/primitives"
import { createLogger, createMetrics, loadConfig, type Registry } from "@serialcast/service-kit"
import { createDeviceState } from "@serialcast/testkit"
import { createHttpGateway } from "../service.ts"

export const testEpoch = "00000000000000aa"

export interface TestGateway extends AsyncDisposable {
  readonly port: number
  /** Of the device `local/uno`, without a slash at its end. */
  readonly url: string
  readonly metrics: Registry
  /** How many follow the states, of which those that wait for a device are some. */
  readonly waiting: number
  /** Tells of the device, where that was left out at the start. */
  announce(): void
  stop(): Promise<void>
}

export interface TestGatewayOptions {
  readonly state?: Partial<DeviceState>
  readonly clock?: Clock
  readonly tunnels?: readonly TunnelState[]
  /** Whether the device is known from the start. */
  readonly isAnnounced?: boolean
  /** Hears what is logged. */
  readonly onLog?: (line: string) => void
}

/** A real gateway on a free port, in front of one device that a test plays. */
export async function startTestGateway(
  device: Partial<Device>,
  { state = {}, clock = systemClock, tunnels = [], isAnnounced = true, onLog }: TestGatewayOptions = {},
): Promise<TestGateway> {
  const states = new Map<string, DeviceState>()
  const listeners = new Set<(state: DeviceState) => void>()
  const announce = () => {
    const known = createDeviceState({ epoch: testEpoch, ...state })
    states.set("local/uno", known)
    for (const listener of listeners) listener(known)
  }
  if (isAnnounced) announce()
  const devices = {
    isConnected: true,
    devices: {
      list: () => [...states.values()],
      get: (address: string) => states.get(address),
      onChange(listener: (state: DeviceState) => void) {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    },
    tunnels: { list: () => tunnels, onChange: () => () => {} },
    // A test plays those methods that it calls.
    device: () => device as Device,
    // A broker that tells what it keeps: nothing, unless the device was announced.
    whenReady: () => (isAnnounced ? Promise.resolve() : new Promise(() => {})),
    close: () => Promise.resolve(),
  } satisfies DeviceClient
  const config = loadConfig({ env: { SERIALCAST_HTTP_LISTEN: "127.0.0.1:0" } })
  const metrics = createMetrics()
  const log = createLogger({
    name: "http-gateway",
    level: "error",
    ...(onLog === undefined ? {} : { destination: { write: onLog } }),
  })
  const gateway = await createHttpGateway(config, {
    log,
    clock,
    metrics,
    token: null,
    devices,
  })
  const { port } = gateway.address
  return {
    port,
    url: `http://127.0.0.1:${port}/api/v1/devices/local/uno`,
    get waiting() {
      return listeners.size
    },
    metrics,
    announce,
    stop: () => gateway.stop(),
    [Symbol.asyncDispose]: () => gateway.stop(),
  }
}

export function cursorAt(offset: number, mark = 0) {
  return { epoch: testEpoch, offset, mark }
}

/** Events as a reader gets them: texts are bytes, one after the other. */
export function bytesAt(offset: number, text: string): StreamEvent {
  const bytes = Uint8Array.from(Buffer.from(text, "latin1"))
  return { kind: "bytes", offset, timeUs: 1_000_000 + offset, bytes, cursor: cursorAt(offset + bytes.length) }
}
