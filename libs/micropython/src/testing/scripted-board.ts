import { RawInput } from "./scripted-raw.ts"

/** How it answers to a request for raw-paste: with a window increment, `R 00`, as an old firmware, or not. */
export type RawPasteAnswer = number | "refused" | "unknown" | "silent"

/** What runs until it is interrupted. */
export interface Program {
  /** How many interrupts it catches before one ends it; `Infinity`: `kbd_intr(-1)`. */
  readonly catches?: number
  /** What it prints every 100 ms. */
  readonly prints?: string
  /** Begun in raw mode, where it ends too. */
  readonly isRaw?: boolean
}

/** What code comes to; with a program it does not end by itself. */
export interface Ran {
  readonly stdout?: string
  readonly stderr?: string
  readonly program?: Program
  /** It ends by `sys.exit()`: the board starts anew. */
  readonly exits?: boolean
}

export interface ScriptedBoardOptions {
  /** Default: at its prompt. */
  readonly begins?: "prompt" | "raw" | "paste" | Program
  /** Typed at the prompt already. */
  readonly typed?: string
  readonly rawPaste?: RawPasteAnswer
  /** What its input takes while nobody listens to the board, which is as long as it is sent something: the hardest case. */
  readonly ringBytes?: number
  /** Default: what tells a version, and else nothing. */
  readonly run?: (code: string) => Ran | undefined
}

const banner =
  '\r\nMicroPython v1.29.0 on 2026-08-01; scripted\r\nType "help()" for more information.\r\n>>> '
const rawBanner = "raw REPL; CTRL-B to exit\r\n>"
const traceback =
  'Traceback (most recent call last):\r\n  File "<stdin>", line 1, in <module>\r\nKeyboardInterrupt: \r\n'
const versionCode = /^print\('(\w+)'\);import sys;print\(sys\.implementation\)$/
const implementation = "(name='micropython', version=(1, 29, 0, ''), _machine='scripted')"

/**
 * The serial REPL of MicroPython, byte by byte, with a given answer to each program: friendly, paste, raw and raw-paste
 * mode, an input that loses what it has no room for, and programs that hold Ctrl-C back.
 */
export class ScriptedBoard {
  droppedBytes = 0
  /** What it ran, in order. */
  readonly ran: string[] = []
  readonly #options: ScriptedBoardOptions
  readonly #ring: number[] = []
  readonly #raw: RawInput
  #said = ""
  #mode: "friendly" | "paste" | "raw" = "friendly"
  #line: string
  #program: Program | null = null
  #caught = 0
  #nextPrintMs = 0

  constructor(options: ScriptedBoardOptions = {}) {
    this.#options = options
    this.#line = options.typed ?? ""
    const { begins = "prompt" } = options
    if (typeof begins === "object") this.#program = begins
    else this.#mode = begins === "prompt" ? "friendly" : begins
    if (typeof begins === "object" && begins.isRaw) this.#mode = "raw"
    this.#raw = new RawInput({
      rawPaste: options.rawPaste ?? 128,
      say: (text) => this.#say(text),
      run: (code, isOkay) => this.#run(code, isOkay),
      leave: () => {
        this.#mode = "friendly"
        this.#say(banner)
      },
      reset: () => this.#say(`OK\r\nMPY: soft reboot\r\n${rawBanner}`),
    })
  }

  receive(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (byte === 0x03 && this.#program !== null && this.#program.catches !== Number.POSITIVE_INFINITY)
        this.#interrupt(this.#program)
      else if (this.#ring.length >= (this.#options.ringBytes ?? Number.POSITIVE_INFINITY)) this.droppedBytes++
      else this.#ring.push(byte)
    }
  }

  /** Takes what is in its input, and answers what it has said since. */
  hear(nowMs: number): Uint8Array {
    for (;;) {
      if (this.#program !== null) break
      const byte = this.#ring.shift()
      if (byte === undefined) break
      this.#take(byte)
    }
    for (; this.#program?.prints !== undefined && this.#nextPrintMs <= nowMs; this.#nextPrintMs += 100)
      this.#say(this.#program.prints)
    const said = Uint8Array.from(this.#said, (character) => character.charCodeAt(0))
    this.#said = ""
    return said
  }

  #say(text: string): void {
    this.#said += text
  }

  #take(byte: number): void {
    if (this.#mode === "raw") return this.#raw.take(byte)
    if (this.#mode === "paste") return this.#takePasted(byte)
    switch (byte) {
      case 0x01:
        if (this.#line !== "") return this.#say(`\u001b[${this.#line.length}D`)
        this.#mode = "raw"
        return this.#say(`\r\n${rawBanner}`)
      case 0x02:
        return this.#say(banner)
      case 0x03:
        this.#line = ""
        return this.#say("\r\n>>> ")
      case 0x04:
        return this.#say(`\r\nMPY: soft reboot${banner}`)
      case 0x0d:
        this.#say("\r\n")
        return this.#runLine()
      default:
        this.#line += String.fromCharCode(byte)
        return this.#say(String.fromCharCode(byte))
    }
  }

  #takePasted(byte: number): void {
    if (byte !== 0x03) return this.#say(String.fromCharCode(byte))
    this.#mode = "friendly"
    this.#say("\r\n>>> ")
  }

  #runLine(): void {
    const code = this.#line
    this.#line = ""
    if (code !== "") this.ran.push(code)
    this.#say(">>> ")
  }

  #run(typed: string, isOkay: boolean): void {
    // A return before it is an empty line.
    const code = typed.replace(/^\r+/, "")
    this.ran.push(code)
    const [, word] = versionCode.exec(code) ?? []
    const told = word === undefined ? {} : { stdout: `${word}\r\n${implementation}\r\n` }
    const { stdout = "", stderr = "", program, exits }: Ran = this.#options.run?.(code) ?? told
    this.#say(`${isOkay ? "OK" : ""}${stdout}`)
    if (exits) return this.#say(`\u0004\u0004MPY: soft reboot\r\nfrom boot.py > \r\n${rawBanner}`)
    if (program === undefined) return this.#say(`\u0004${stderr}\u0004>`)
    this.#program = { ...program, isRaw: true }
  }

  #interrupt({ catches = 0, isRaw = false }: Program): void {
    if (this.#caught < catches) {
      this.#caught++
      return
    }
    this.#program = null
    this.#caught = 0
    this.#say(isRaw ? `\u0004${traceback}\u0004>` : `${traceback}${banner}`)
  }
}
