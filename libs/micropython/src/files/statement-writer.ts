import { AppError } from "@serialcast/contract"
import { ByteQueue } from "@serialcast/primitives"
import { runOwn } from "../board/run-program.ts"
import type { Session } from "../board/session.ts"
import { bytesLiteral } from "../repl/python-literal.ts"
import { pathLiteral } from "./path-name.ts"
import { takeExactly } from "./take-exactly.ts"
import type { PartWriter, WriteOptions } from "./write-part.ts"

/** Of a statement that may be of any length: the board holds it twice. */
const freePieceBytes = 512
/** Around the data of a statement, its end included. */
const aroundBytes = "_sw(_sa(b''))".length + 1
const statementBytes = 255
/** Of 64 bytes, on the smallest boards. */
const smallestStatement = 60
const statementMs = 30_000

const importBase64 =
  "try:from binascii import a2b_base64 as _sa\nexcept ImportError:from ubinascii import a2b_base64 as _sa\n"
const close = "_sf.close()\ndel _sf,_sw\n"

/**
 * Sends the rest of a file as statements that write a literal, one at a time: for boards whose programs get no bytes as they
 * are. Text in base64 is a third longer than the bytes; without base64 what does not print is four times as long.
 */
export class StatementWriter implements PartWriter {
  readonly #pieceBytes: number
  readonly #session: Session
  readonly #options: WriteOptions
  /** Less than a statement. */
  readonly #waiting = new ByteQueue()

  constructor(session: Session, options: WriteOptions) {
    this.#session = session
    this.#options = options
    const { hasRawPaste, inputBytes } = session.memory
    const room = Math.min(statementBytes, inputBytes ?? smallestStatement) - aroundBytes
    const perByte = options.hasBase64 ? 4 / 3 : 4
    this.#pieceBytes = hasRawPaste ? freePieceBytes : 3 * Math.max(1, Math.floor(room / perByte / 3))
  }

  async begin(): Promise<void> {
    const { path, offset, hasBase64 } = this.#options
    const mode = offset > 0 ? "'r+b'" : "'wb'"
    const open = `_sf=open(${pathLiteral(path)},${mode})\n_sw=_sf.write\n_sf.seek(${offset})\n`
    await this.#run(`${hasBase64 ? importBase64 : ""}${open}`)
  }

  async write(data: Uint8Array): Promise<void> {
    this.#waiting.push(data)
    while (this.#waiting.byteLength >= this.#pieceBytes) await this.#send(this.#pieceBytes)
  }

  async end(): Promise<void> {
    if (this.#waiting.byteLength > 0) await this.#send(this.#waiting.byteLength)
    await this.#run(close)
  }

  async giveUp(): Promise<void> {
    await this.#run(close)
  }

  async #send(dataBytes: number): Promise<void> {
    const data = takeExactly(this.#waiting, dataBytes)
    const base64 = () => `_sa(b'${Buffer.from(data).toString("base64")}')`
    try {
      await this.#run(`_sw(${this.#options.hasBase64 ? base64() : bytesLiteral(data)})`)
    } catch (error) {
      // A board that fell silent is not asked for more.
      if (!(error instanceof AppError) || error.code !== "board_timeout") await this.giveUp().catch(() => {})
      throw error
    }
    this.#options.onWritten(dataBytes)
  }

  async #run(code: string): Promise<void> {
    await runOwn(this.#session, code, { what: this.#options.what, timeoutMs: statementMs })
  }
}
