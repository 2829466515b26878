import { AppError } from "@serialcast/contract"
import type { Session } from "../board/session.ts"
import { errorOfTraceback } from "../repl/traceback.ts"
import { pathLiteral } from "./path-name.ts"
import { createPieceCode, type PieceCode } from "./piece-code.ts"
import { functionCode } from "./run-function.ts"
import type { PartWriter, WriteOptions } from "./write-part.ts"

/** A ring of 256 bytes holds 255, and a board may have one byte of ours in it already. */
const ringSlack = 8
/** Without raw-paste nobody says how much the board takes while it is busy; so little all of them do. */
const smallestRing = 64
/** So few pieces are on their way at least: while the board writes one the next ones come. */
const piecesAtOnce = 4
const smallestPiece = 28
const largestPiece = 240
/** Erasing flash takes a second, on a file system that is nearly full several. */
const answerMs = 10_000

const taken = 0x06
const refused = 0x15
const ended = 0x04

/**
 * Runs on the board: reads pieces of a known size, and answers each one when it is written, so that what is on its way
 * never exceeds what the board takes while it is busy. After an error it reads on, because what is on its way would be code
 * to the REPL, until the sender stops. It ends by itself with the last piece. It may wait for bytes for ever when the sender
 * dies, which is enough: 03 is in none of them, so that the next Ctrl-C ends it, and the file is closed.
 */
const body = (decoder: string, headBytes: number) => `
r=sys.stdin.buffer.read;w=sys.stdout.buffer.write
e=None
f=open(p,m)
try:
 if o:f.seek(o)
 w(b'\\x06')
 while n>0:
  k=min(n,z)
  d=r(k+${headBytes})
  if d[0]==4:break
  if e is None:
   try:f.write(${decoder})
   except Exception as x:e=x
  n-=k
  w(b'\\x15' if e else b'\\x06')
finally:f.close()
if e:raise e
`

/** Sends the rest of a file to a loop that runs on the board. */
export class ReceiveLoop implements PartWriter {
  readonly pieceBytes: number
  readonly #session: Session
  readonly #options: WriteOptions
  readonly #code: PieceCode
  readonly #windowBytes: number
  /** Sizes of the data of the pieces that were not answered. */
  readonly #onTheirWay: number[] = []
  #sentBytes = 0
  #isRefused = false

  constructor(session: Session, options: WriteOptions) {
    this.#session = session
    this.#options = options
    this.#code = createPieceCode(options)
    this.#windowBytes = (session.memory.inputBytes ?? smallestRing) - ringSlack
    const pieceBytes = Math.max(smallestPiece, Math.floor(this.#windowBytes / piecesAtOnce))
    this.pieceBytes = Math.min(largestPiece, pieceBytes) - this.#code.headBytes
  }

  async begin(): Promise<void> {
    const { path, offset, leftBytes } = this.#options
    const given = {
      p: pathLiteral(path),
      m: offset > 0 ? "'r+b'" : "'wb'",
      o: offset,
      n: leftBytes,
      z: this.pieceBytes,
    }
    const code = functionCode({
      imports: "import sys",
      body: body(this.#code.decoder, this.#code.headBytes),
      given,
    })
    await this.#session.start(code)
    if ((await this.#answer()) !== taken) await this.#fail()
  }

  async write(data: Uint8Array): Promise<void> {
    const piece = this.#code.encode(data)
    while (this.#onTheirWay.length > 0 && this.#bytesOnTheirWay() + piece.byteLength > this.#windowBytes)
      await this.#takeAnswer()
    if (this.#isRefused) return await this.giveUp()
    this.#onTheirWay.push(data.byteLength)
    this.#sentBytes += data.byteLength
    await this.#session.sayAnyway((talk) => talk.send(piece))
  }

  async end(): Promise<void> {
    while (this.#onTheirWay.length > 0) await this.#takeAnswer()
    if (this.#isRefused) return await this.giveUp()
    await this.#finish()
  }

  /** Lets the loop end before the file does. Throws what the board refused a piece for, if it did. */
  async giveUp(): Promise<void> {
    while (this.#onTheirWay.length > 0) await this.#takeAnswer()
    const left = this.#options.leftBytes - this.#sentBytes
    const stop = this.#code.stop(Math.min(left, this.pieceBytes))
    if (left > 0) await this.#session.sayAnyway((talk) => talk.send(stop))
    await this.#finish()
  }

  #bytesOnTheirWay(): number {
    return this.#onTheirWay.reduce((sum, size) => sum + size + this.#code.headBytes, 0)
  }

  async #takeAnswer(): Promise<void> {
    const answer = await this.#answer()
    if (answer === ended) await this.#fail()
    if (answer === refused) this.#isRefused = true
    const size = this.#onTheirWay.shift() ?? 0
    if (answer === taken) this.#options.onWritten(size)
  }

  /** Whatever else prints on the board meanwhile is passed over: the file is compared at its end. */
  async #answer(): Promise<number> {
    const deadlineMs = this.#session.deadline(answerMs)
    for (;;) {
      const byte = await this.#session.sayAnyway((talk) => talk.byte(deadlineMs))
      if (byte === null)
        throw new AppError("board_timeout", "The board did not answer to a piece of the file.")
      if (byte === taken || byte === refused || byte === ended) return byte
    }
  }

  async #finish(): Promise<void> {
    while ((await this.#answer()) !== ended);
    this.#throwUnlessWell(await this.#session.finish())
  }

  /** The loop has ended before its time. */
  async #fail(): Promise<never> {
    const stderr = await this.#session.finish()
    this.#throwUnlessWell(stderr)
    throw new AppError("transfer_failed", "The board ended the transfer before its time.")
  }

  #throwUnlessWell(stderr: string): void {
    if (stderr !== "") throw errorOfTraceback(stderr, this.#options.what)
  }
}
