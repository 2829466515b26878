import type { SimulatedDevice, SimulatedWire } from "../sim-driver.ts"
import { Board } from "./board.ts"
import { Flash } from "./flash.ts"

// As the UART of an esp32.
const defaultRingBytes = 260

/** Of `sim:micropython`, or `sim:micropython?ring=64`; undefined when the port is something else. */
export function ringBytesOf(port: string): number | undefined {
  const [isBoard, ring] = /^sim:micropython(?:\?ring=([1-9]\d{1,4}))?$/.exec(port) ?? []
  if (isBoard === undefined) return undefined
  return ring === undefined ? defaultRingBytes : Number(ring)
}

/**
 * A board with MicroPython, whose files live as long as this device. It is switched on by the first byte that it gets, so
 * that one that nobody uses costs nothing, and off when its port is closed.
 */
export function createSimMicropython(ringBytes = defaultRingBytes): SimulatedDevice {
  const flash = new Flash()
  return {
    async run(wire, signal) {
      try {
        for (let bytes = await wire.receive(); bytes !== undefined; )
          bytes = await runBoard(wire, { flash, ringBytes, signal, first: bytes })
      } catch (error) {
        // One that was ended while it started has not failed.
        if (!signal.aborted) throw error
      }
    },
  }
}

interface BoardRun {
  readonly flash: Flash
  readonly ringBytes: number
  readonly signal: AbortSignal
  readonly first: Uint8Array
}

/** Until the port is closed, or the board's process ended by itself: then answers the bytes that switch it on again. */
async function runBoard(
  wire: SimulatedWire,
  { first, ...options }: BoardRun,
): Promise<Uint8Array | undefined> {
  await using board = await Board.start({ ...options, onBytes: (bytes) => wire.send(bytes) })
  let isOn = true
  void board.ended.then(() => {
    isOn = false
  })
  let bytes: Uint8Array | undefined = first
  for (; isOn && bytes !== undefined; bytes = await wire.receive()) await board.write(bytes)
  return bytes
}
