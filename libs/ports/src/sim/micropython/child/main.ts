import { constants, setPriority } from "node:os"
import { Flash, type FlashChange } from "../flash.ts"
import { encodeFrame, frameKinds } from "../frames.ts"
import { guardImports } from "./imports.ts"
import { Interpreter } from "./interpreter.ts"
import { Repl, type ReplMode } from "./repl.ts"
import { createUartMemory, Ring } from "./ring.ts"
import { startReceiver } from "./start-receiver.ts"
import { Uart, writeFrame } from "./uart.ts"

// The process of a simulated board. Its first thread is the interpreter's and never comes back from it; the other one
// (receiver.ts) puts what comes in into memory of both.

// What may be on its way at once: a tenth of a second of 115,200 baud is all that comes after a Ctrl-C.
const sendableBytes = 1024

// Whatever its program computes, the gateway beside it comes first.
setPriority(constants.priority.PRIORITY_BELOW_NORMAL)

const ringBytes = Number(process.argv[2])
const memory = createUartMemory(ringBytes, sendableBytes)
const uart = new Uart(new Ring(memory))
const flash = new Flash()
let interpreter: Interpreter | undefined

// For the receiver, which calls it in this thread whatever this thread is about.
Object.assign(globalThis, { takeInterrupt: () => interpreter?.takeInterrupt() ?? false })

guardImports()
const receiver = startReceiver(memory)
await new Promise<void>((resolve) => {
  receiver.on("message", (change: FlashChange | null) => {
    if (change === null) resolve()
    else flash.apply(change)
  })
})
writeFrame(encodeFrame(frameKinds.ready, new Uint8Array()))

let mode: ReplMode = "friendly"
for (;;) {
  interpreter = await Interpreter.load(uart, flash)
  interpreter.runFile("boot.py")
  if (mode === "friendly") interpreter.runFile("main.py")
  mode = new Repl({ interpreter, uart, ringBytes }).run(mode)
  interpreter.print("MPY: soft reboot\n")
}
