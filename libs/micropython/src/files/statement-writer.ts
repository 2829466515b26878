import { runOwn } from "../board/run-program.ts"
import type { Session } from "../board/session.ts"
import { bytesLiteral } from "../repl/python-literal.ts"
import { pathLiteral } from "./path-name.ts"
import type { PartWriter, WriteOptions } from "./write-part.ts"

/** Of a statement that may be of any length: the board holds it twice. */
const pieceBytes = 512
/** Around the data of a statement, its end included. */
const aroundBytes = "_sw(_sa(b''))".length + 1
const statementBytes = 255
/** Of 64 bytes, on the smallest boards. */
const smallestStatement = 60
const statementMs = 30_000

/**
 * Sends the rest of a file as statements that write a literal, one at a time: for boards whose programs get no bytes as they
 * are. Text in base64 is a third longer than the bytes; without base64 what does not print is four times as long.
 */
export class StatementWriter implements PartWriter {
  readonly pieceBytes: number
  readonly #session: Session
  readonly #options: WriteOptions

  constructor(session: Session, options: WriteOptions) {
    this.#session = session
    this.#options = options
    const { hasRawPaste, inputBytes } = session.memory
    const room = Math.min(statementBytes, inputBytes ?? smallestStatement) - aroundBytes
    const perByte = options.hasBase64 ? 4 / 3 : 4
    this.pieceBytes = hasRawPaste ? pieceBytes : 3 * Math.max(1, Math.floor(room / perByte / 3))
  }

  async begin(): Promise<void> {
    const { path, offset, hasBase64 } = this.#options
    const base64 =
      "try:from binascii import a2b_base64 as _sa\nexcept ImportError:from ubinascii import a2b_base64 as _sa\n"
    const mode = offset > 0 ? "'r+b'" : "'wb'"
    await this.#run(
      `${hasBase64 ? base64 : ""}_sf=open(${pathLiteral(path)},${mode})\n_sw=_sf.write\n_sf.seek(${offset})\n`,
    )
  }

  async write(data: Uint8Array): Promise<void> {
    const literal = this.#options.hasBase64
      ? `_sa(b'${Buffer.from(data).toString("base64")}')`
      : bytesLiteral(data)
    try {
      await this.#run(`_sw(${literal})`)
    } catch (error) {
      await this.giveUp().catch(() => {})
      throw error
    }
    this.#options.onWritten(data.byteLength)
  }

  async end(): Promise<void> {
    await this.#run("_sf.close()\ndel _sf,_sw\n")
  }

  async giveUp(): Promise<void> {
    await this.end()
  }

  async #run(code: string): Promise<void> {
    await runOwn(this.#session, code, { what: this.#options.what, timeoutMs: statementMs })
  }
}
