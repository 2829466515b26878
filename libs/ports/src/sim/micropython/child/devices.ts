import { decodeCount, encodeCount, frameKinds } from "../frames.ts"
import type { FileSystem, StreamOps } from "./emscripten.ts"
import { interruptedCall } from "./error-numbers.ts"
import { Interrupted, type Uart } from "./uart.ts"

const readable = 1
const writable = 4
const lineFeed = 0x0a
const carriageReturn = 0x0d
// The first that Emscripten leaves to others.
const deviceMajor = 64
const countBytes = 4

/**
 * Makes the interpreter's standard streams the board's serial port: text, whose line ends are CR LF on the wire. And files
 * for the prelude: /dev/uart is the port with bare bytes; who writes milliseconds to /dev/sleep sleeps; /dev/dropped tells
 * how many bytes the ring had no room for.
 */
export function connectDevices(files: FileSystem, uart: Uart, cook: (bytes: Uint8Array) => Uint8Array): void {
  const interruptible = (work: () => number) => {
    try {
      return work()
    } catch (error) {
      if (error instanceof Interrupted) throw new files.ErrnoError(interruptedCall)
      throw error
    }
  }
  const poll = () => writable | (uart.hasUnread ? readable : 0)
  const bare: StreamOps = {
    read: (_stream, buffer, offset, length) =>
      interruptible(() => uart.readInto(view(buffer, offset, length))),
    write: (_stream, buffer, offset, length) => {
      uart.send(view(buffer, offset, length))
      return length
    },
    poll,
  }
  const text: StreamOps = {
    read: (_stream, buffer, offset, length) => {
      const part = view(buffer, offset, length)
      const count = interruptible(() => uart.readInto(part))
      part.forEach((byte, at) => {
        if (at < count && byte === carriageReturn) part[at] = lineFeed
      })
      return count
    },
    write: (_stream, buffer, offset, length) => {
      uart.send(cook(view(buffer, offset, length)))
      return length
    },
    poll,
  }
  for (const descriptor of [0, 1, 2]) Object.assign(files.getStream(descriptor) ?? {}, { stream_ops: text })
  const sleep: StreamOps = {
    write: (_stream, buffer, offset, length) =>
      interruptible(() => {
        uart.sleep(decodeCount(view(buffer, offset, length)))
        return length
      }),
  }
  const dropped: StreamOps = {
    read: (_stream, buffer, offset, length) => {
      view(buffer, offset, length).set(encodeCount(frameKinds.dropped, uart.dropped).subarray(-countBytes))
      return countBytes
    },
  }
  for (const [minor, [name, ops]] of Object.entries({ uart: bare, sleep, dropped }).entries()) {
    const device = files.makedev(deviceMajor, minor)
    files.registerDevice(device, ops)
    files.mkdev(`/dev/${name}`, 0o666, device)
  }
}

/** The interpreter's memory comes as signed bytes at times. */
function view(buffer: Uint8Array, offset: number, length: number): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset + offset, length)
}

/** Makes line ends CR LF, over borders of pieces too; those that are stay so. */
export function createCooking(): (bytes: Uint8Array) => Uint8Array {
  let last = 0
  return (bytes) => {
    const cooked: number[] = []
    for (const byte of bytes) {
      if (byte === lineFeed && last !== carriageReturn) cooked.push(carriageReturn)
      cooked.push(byte)
      last = byte
    }
    return Uint8Array.from(cooked)
  }
}
