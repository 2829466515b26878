import { concatBytes, createWakeup } from "@serialcast/primitives"
import { Board } from "../board.ts"
import { Flash } from "../flash.ts"

export interface TestBoardOptions {
  /** 260 unless told: see `sim:micropython?ring=`. */
  readonly ringBytes?: number
  /** What is in its files at the start; is kept up to date. */
  readonly flash?: Flash
}

/** A simulated board without a port: bytes in, bytes out, as fast as both sides are. What it sent can be read once. */
export class TestBoard {
  readonly #board: Board
  readonly #sent: { parts: Uint8Array[] }
  readonly #arrived: ReturnType<typeof createWakeup>

  private constructor(board: Board, sent: { parts: Uint8Array[] }, arrived: ReturnType<typeof createWakeup>) {
    this.#board = board
    this.#sent = sent
    this.#arrived = arrived
  }

  static async start({ ringBytes = 260, flash = new Flash() }: TestBoardOptions = {}): Promise<TestBoard> {
    const sent: { parts: Uint8Array[] } = { parts: [] }
    const arrived = createWakeup()
    const onBytes = (bytes: Uint8Array) => {
      sent.parts.push(bytes)
      arrived.wake()
    }
    return new TestBoard(await Board.start({ flash, ringBytes, onBytes }), sent, arrived)
  }

  get pid(): number | undefined {
    return this.#board.pid
  }

  /** How many bytes its ring had no room for, as of its last output or wait. */
  get dropped(): number {
    return this.#board.dropped
  }

  /** Text is sent as Latin-1, so that "\x03" is a byte. */
  async write(bytes: Uint8Array | string): Promise<void> {
    await this.#board.write(typeof bytes === "string" ? Uint8Array.from(Buffer.from(bytes, "latin1")) : bytes)
  }

  /** Waits for bytes that nobody read yet, and takes them. */
  async read(): Promise<Uint8Array> {
    while (this.#sent.parts.length === 0) await this.#arrived.wait()
    const bytes = concatBytes(this.#sent.parts)
    this.#sent.parts = []
    return bytes
  }

  /** Waits until what it sends ends with `end`, and takes all of it, as Latin-1. */
  async readUntil(end: string): Promise<string> {
    let text = ""
    while (!text.endsWith(end)) text += Buffer.from(await this.read()).toString("latin1")
    return text
  }

  /** Resolves when its process is gone. */
  async close(): Promise<void> {
    await this.#board.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
