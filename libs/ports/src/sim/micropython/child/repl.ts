import type { Interpreter } from "./interpreter.ts"
import { RawPaste, type RawPasteEnd } from "./raw-paste.ts"
import { ReplWatch } from "./repl-watch.ts"
import type { Uart } from "./uart.ts"

const ctrlA = 0x01
const ctrlC = 0x03
const ctrlD = 0x04
// What MicroPython assumes of the ring of its boards, unless it is smaller.
const maxRingBytes = 256

export type ReplMode = "friendly" | "raw"

export interface ReplOptions {
  readonly interpreter: Interpreter
  readonly uart: Uart
  readonly ringBytes: number
}

/**
 * The REPL of a board: the interpreter's own, which is given the bytes one by one, and raw-paste, which that one cannot do
 * without input that blocks.
 */
export class Repl {
  readonly #interpreter: Interpreter
  readonly #uart: Uart
  readonly #watch = new ReplWatch()
  readonly #windowBytes: number

  constructor({ interpreter, uart, ringBytes }: ReplOptions) {
    this.#interpreter = interpreter
    this.#uart = uart
    this.#windowBytes = Math.floor(Math.min(ringBytes, maxRingBytes) / 2)
  }

  /** Runs until a reset is asked for; answers the mode in which it was. */
  run(mode: ReplMode): ReplMode {
    this.#start(mode)
    for (;;) {
      const byte = this.#uart.nextByte()
      const isOver = this.#watch.asksForRawPaste(byte) ? this.#rawPaste() : this.#pass(byte)
      if (isOver) return this.#watch.isRaw ? "raw" : "friendly"
    }
  }

  #start(mode: ReplMode): void {
    this.#uart.isReading = true
    const greeting = this.#interpreter.capture(() => this.#interpreter.startRepl()).trimStart()
    if (mode === "friendly") this.#interpreter.print(greeting)
    else this.#passCaptured(ctrlA, (banner) => banner.trimStart())
  }

  #pass(byte: number): boolean {
    if (byte === ctrlA) return this.#passCaptured(byte, (answer) => answer)
    this.#uart.isReading = !this.#watch.mayRun(byte)
    const isOver = this.#interpreter.process(byte)
    if (this.#watch.mayRun(byte)) this.#interpreter.collectGarbage()
    this.#watch.passed(byte, "")
    return isOver
  }

  #passCaptured(byte: number, change: (answer: string) => string): boolean {
    let isOver = false
    const answer = this.#interpreter.capture(() => {
      isOver = this.#interpreter.process(byte)
    })
    this.#watch.passed(byte, answer)
    this.#interpreter.print(change(answer))
    return isOver
  }

  #rawPaste(): boolean {
    const paste = new RawPaste(this.#windowBytes)
    this.#interpreter.capture(() => this.#interpreter.process(ctrlC))
    this.#watch.passed(ctrlC, "")
    this.#uart.send(paste.greeting)
    for (;;) {
      const { reply, end } = paste.push(this.#uart.nextByte())
      if (reply.byteLength > 0) this.#uart.send(reply)
      if (end !== undefined) return this.#endPaste(end)
    }
  }

  #endPaste(end: RawPasteEnd): boolean {
    if (end.kind !== "source" || end.source.byteLength === 0) {
      const error = { interrupted: "KeyboardInterrupt: \n", tooLarge: "MemoryError: \n", source: "" }[
        end.kind
      ]
      this.#interpreter.print(`\x04${error}\x04>`)
      return false
    }
    this.#uart.isReading = false
    this.#interpreter.capture(() => {
      for (const byte of end.source) for (const part of escaped(byte)) this.#interpreter.process(part)
    })
    // "OK" is what the raw REPL says of a command, and raw-paste does not.
    const isOver = this.#interpreter.processSkipping("OK".length, ctrlD)
    this.#interpreter.collectGarbage()
    return isOver
  }
}

/** Bytes of a source that the raw REPL has for commands mean the same in a literal when they are spelt out. */
function escaped(byte: number): readonly number[] {
  return byte > ctrlD && byte !== 0x05 ? [byte] : [...Buffer.from(`\\x0${byte}`)]
}
