import { loadMicroPython } from "@micropython/micropython-webassembly-pyscript"
import type { Flash } from "../flash.ts"
import { connectDevices, createCooking } from "./devices.ts"
import type { MicroPython } from "./emscripten.ts"
import { flashFolder, mountFlash } from "./files.ts"
import { prelude } from "./prelude.ts"
import type { Uart } from "./uart.ts"

const heapBytes = 256 * 1024
const pyStackWords = 8 * 1024
const ctrlC = 0x03

/** What becomes of what is printed. */
interface Output {
  captured: Uint8Array[] | null
  skippedBytes: number
}

/** One life of the interpreter, from one reset to the next. */
export class Interpreter {
  readonly #python: MicroPython
  readonly #uart: Uart
  readonly #cook: (bytes: Uint8Array) => Uint8Array
  readonly #output: Output

  private constructor(python: MicroPython, uart: Uart, flash: Flash) {
    const cook = createCooking()
    const output: Output = { captured: null, skippedBytes: 0 }
    this.#python = python
    this.#uart = uart
    this.#cook = cook
    this.#output = output
    connectDevices(python.FS, uart, (bytes) => {
      if (output.captured !== null) {
        output.captured.push(bytes.slice())
        return new Uint8Array()
      }
      // Whoever sees the prompt may send at once, before we are back from the program.
      if (isPrompt(bytes) && python._module._mp_hal_get_interrupt_char() !== ctrlC) uart.isReading = true
      const skippedBytes = Math.min(output.skippedBytes, bytes.byteLength)
      output.skippedBytes -= skippedBytes
      return cook(bytes.subarray(skippedBytes))
    })
    mountFlash(python.FS, flash)
    python.FS.chdir(flashFolder)
    python.runPython(`exec(${JSON.stringify(prelude)}, {"__name__": "board"})`)
  }

  static async load(uart: Uart, flash: Flash): Promise<Interpreter> {
    return new Interpreter(await loadMicroPython({ heapsize: heapBytes, pystack: pyStackWords }), uart, flash)
  }

  /** Ends what runs by a KeyboardInterrupt, when Ctrl-C does that now: no program runs, or it wants the byte itself. */
  takeInterrupt(): boolean {
    const { _module } = this.#python
    if (_module._mp_hal_get_interrupt_char() !== ctrlC) return false
    _module._mp_sched_keyboard_interrupt()
    this.#uart.interrupt()
    return true
  }

  /** Runs a file of the flash, if it is there. */
  runFile(name: string): void {
    if (!this.#python.FS.analyzePath(`${flashFolder}/${name}`).exists) return
    try {
      this.#python.runPython(
        `__import__("micropython").kbd_intr(${ctrlC})\nexecfile(${JSON.stringify(name)})`,
      )
    } catch (error) {
      this.print(tracebackOf(error))
    }
    this.#ignoreCtrlC()
  }

  startRepl(): void {
    this.#python.replInit()
  }

  /** Gives the REPL a byte; whether it ended, for a reset. */
  process(byte: number): boolean {
    return this.#python.replProcessChar(byte) !== 0
  }

  /** As `process`, without the first bytes of what is printed. */
  processSkipping(skippedBytes: number, byte: number): boolean {
    this.#output.skippedBytes = skippedBytes
    return this.process(byte)
  }

  /** What is printed while `work` runs, which is not sent. */
  capture(work: () => void): string {
    const captured: Uint8Array[] = []
    this.#output.captured = captured
    try {
      work()
    } finally {
      this.#output.captured = null
    }
    return Buffer.concat(captured).toString("latin1")
  }

  /** The build does it between programs alone, and by itself not after each. */
  collectGarbage(): void {
    this.#python.runPython('__import__("gc").collect()')
  }

  print(text: string): void {
    this.#uart.send(this.#cook(new TextEncoder().encode(text)))
  }

  #ignoreCtrlC(): void {
    try {
      this.#python.runPython('__import__("micropython").kbd_intr(-1)')
    } catch {
      // One that came when the file's program had just ended; it is not pending any more.
      this.#ignoreCtrlC()
    }
  }
}

const prompts = [">", ">>> ", "... ", "=== "]

function isPrompt(bytes: Uint8Array): boolean {
  return bytes.byteLength <= 4 && prompts.includes(String.fromCharCode(...bytes))
}

/** As a board prints it: our own statement, which ran the file, is not part of it. */
function tracebackOf(error: unknown): string {
  const { message, type } = error as Error & { type?: string }
  return type === "SystemExit" ? "" : message.replace('  File "<stdin>", line 2, in <module>\n', "")
}
