/*
 *   device.read() ─→ feedSocket ─→ client      as it is, at the client's pace
 *   device lane ←─── readClient ←─ client      as it is, at the device's pace
 */
import { type StartPoint, toAppError } from "@serialcast/contract"
import { createWakeup, type Wakeup, within } from "@serialcast/primitives"
import { type RawTunnel, untilKnown } from "@serialcast/service-kit"
import type { ConnectedClient } from "../clients/connected-client.ts"
import { readClient } from "../first-bytes/read-client.ts"
import { feedSocket } from "../from-device/feed-socket.ts"
import { createUnplugCheck } from "../from-device/unplug-marks.ts"
import { createDeviceLane, type DeviceLane } from "../to-device/device-lane.ts"
import { linger } from "../to-device/linger.ts"
import type { TunnelDeps } from "../tunnel.ts"

/** What a client sent before it vanished without ending its side is written for so long, in milliseconds. */
const vanishedMs = 500
/**
 * A client that ended its side gets what the device still sends until there was this much silence behind its last byte's
 * write, in milliseconds: `printf 'AT\r' | nc -N …` sees its answer.
 */
const answerMs = 1_000

/** Serves one client of a raw tunnel until its connection is over. */
export async function serveRawClient(
  client: ConnectedClient,
  config: RawTunnel,
  deps: TunnelDeps,
): Promise<void> {
  const sent = createWakeup()
  await using lane = config.readOnly ? null : createLane(client, config, deps)
  client.endsAfter(lane)
  const feeding = feed(client, config, deps, sent)
  const taking = take(client, lane, { config, deps, sent })
  // A failure ends the connection, and is thrown below.
  for (const work of [feeding, taking]) work.catch(() => client.reset("serving it failed"))
  await createWakeup().wait({ signal: client.signal })
  await untilWritten(taking, { client, config, deps })
  await lane?.[Symbol.asyncDispose]()
  await Promise.all([feeding, taking])
}

interface Ended {
  readonly client: ConnectedClient
  readonly config: RawTunnel
  readonly deps: TunnelDeps
}

/**
 * Who ends its side and is then gone (`sendall(); close()`, which resets the connection when the device answers) wanted all
 * of it written; who resets it before wants no more.
 */
async function untilWritten(taking: Promise<void>, { client, config, deps }: Ended): Promise<void> {
  const { clock, devices } = deps
  const { socket, record, stopping } = client
  const settings = devices.devices.get(config.device)?.settings
  if (!socket.readableEnded || settings === undefined) {
    await within(taking, { clock, timeoutMs: vanishedMs })
    return
  }
  const receipts = () => record.toReport().bytes.fromClient
  await linger(taking, { clock, baudRate: settings.baudRate, receipts, signal: stopping })
}

function createLane(client: ConnectedClient, { device }: RawTunnel, deps: TunnelDeps): DeviceLane {
  const { record, by } = client
  const options = {
    address: device,
    by,
    onTaken: (bytes: number) => record.countFromClient(bytes),
    onRefused: (bytes: number) => record.countRefused(bytes),
    onFailed: (error: Error) => client.reset(`what it sent was not written: ${error.message}`),
  }
  return createDeviceLane(options, deps)
}

async function feed(
  client: ConnectedClient,
  { device: address, replayBytes, onUnplug }: RawTunnel,
  { devices }: TunnelDeps,
  sent: Wakeup,
): Promise<void> {
  const { socket, record, signal } = client
  await untilKnown(devices, address, signal)
  const state = devices.devices.get(address)
  if (state === undefined) return
  const isUnplug = onUnplug === "close" ? createUnplugCheck(state) : () => false
  const from: StartPoint = replayBytes === 0 ? { kind: "now" } : { kind: "last", bytes: replayBytes }
  try {
    const end = await feedSocket({
      socket,
      device: devices.device(address),
      from,
      encode: (bytes) => bytes,
      signal,
      onSent(bytes) {
        record.countToClient(bytes)
        sent.wake()
      },
      onEvent(event) {
        if (isUnplug(event)) client.end("the device was unplugged")
      },
    })
    if (end === "evicted") client.reset("it was so slow that bytes for it are no longer kept")
  } catch (error) {
    const { code, message } = toAppError(error)
    client.reset(`${code}: ${message}`)
  }
}

async function take(
  client: ConnectedClient,
  lane: DeviceLane | null,
  { config, deps: { clock }, sent }: Omit<Ended, "client"> & { readonly sent: Wakeup },
): Promise<void> {
  const { socket, record, signal } = client
  for await (const bytes of readClient(client, config, clock)) {
    if (lane === null) record.countRefused(bytes.byteLength)
    else await lane.write(bytes)
  }
  await lane?.flush()
  client.giveWay()
  // A client that takes nothing just now has not got its answer.
  const isAnswered = () => socket.writableLength === 0
  for (;;) {
    const why = await sent.wait({ signal, timeout: { clock, ms: answerMs } })
    if (why === "aborted") return
    if (why === "timeout" && isAnswered()) return client.end("it ended its side, and its answer was sent")
  }
}
