/*
 *   device.read() ─→ event encoder ─→ paced socket ─→ client        one event at a time, as fast as the client reads
 *   directory ──────→ newest state ──────┘ ↑
 *   device.write() ←─ write lane ←─ frames ←── client               one write at a time, its receipt goes back up
 */
import { AppError, type DeviceState, formatAddress, type Receipt, toAppError } from "@serialcast/contract"
import { encodeServerMessage } from "../wire/frames.ts"
import { parseWriteMessage } from "../wire/write-message.ts"
import { createEventEncoder } from "./event-frames.ts"
import { toBytes, toText } from "./raw-data.ts"
import { sendLatest } from "./send-latest.ts"
import { closeFailed, type ServeDeviceOptions, type ServedSocket } from "./served-socket.ts"
import { createWriteLane, type WriteLane } from "./write-lane.ts"

/** Serves one socket under the sub-protocol `serialcast.v1`. */
export function serveStream(options: ServeDeviceOptions): ServedSocket {
  const { socket, paced, devices, address, metrics, memory, by } = options
  const lane = createWriteLane({
    device: devices.device(address),
    by,
    onHeld: (bytes) => memory.waits(bytes),
    setPaused: (isPaused) => (isPaused ? socket.pause() : socket.resume()),
    async report(id, outcome) {
      metrics.countWrite(outcome)
      await paced.send(outcomeMessage(id, outcome))
    },
  })
  let frames = 0
  socket.on("message", (data, isBinary) => {
    const number = String(++frames)
    if (isBinary) lane.submit(number, { bytes: toBytes(data) })
    else submitMessage(lane, number, toText(data))
  })
  return { ended: sendEvents(options), lane }
}

function submitMessage(lane: WriteLane, number: string, text: string): void {
  try {
    const write = parseWriteMessage(text)
    lane.submit(write.id ?? number, write)
  } catch (error) {
    lane.submit(number, toAppError(error))
  }
}

function outcomeMessage(id: string, outcome: Receipt | AppError): string {
  return encodeServerMessage(
    outcome instanceof AppError
      ? { type: "error", id, ...outcome.toWire() }
      : { type: "receipt", id, ...outcome },
  )
}

async function sendEvents(options: ServeDeviceOptions): Promise<void> {
  const { paced, devices, address, from } = options
  const state = () => devices.devices.get(address) ?? null
  const encode = createEventEncoder(state)
  let states: Promise<void> | null = null
  try {
    for await (const event of devices.device(address).read({ from, signal: paced.closed })) {
      for (const frame of encode(event)) await paced.send(frame)
      // The client was promised `open` as the first frame, so states follow it.
      states ??= sendStates(options, state)
    }
  } catch (cause) {
    const error = toAppError(cause)
    await paced.send(encodeServerMessage({ type: "error", ...error.toWire() }))
    closeFailed(options, error)
  }
  await states
}

function sendStates(
  { paced, devices, address, clock }: ServeDeviceOptions,
  state: () => DeviceState | null,
): Promise<void> {
  return sendLatest({
    socket: paced,
    clock,
    latest: () => encodeServerMessage({ type: "state", state: state() }),
    subscribe: (changed) =>
      devices.devices.onChange((changedState) => {
        if (formatAddress(changedState) === address) changed()
      }),
  })
}
