import { AppError } from "@serialcast/contract"
import { ByteQueue, concatBytes } from "@serialcast/primitives"
import type { BoardMemory } from "../board/board-memory.ts"
import type { Session } from "../board/session.ts"
import { errorOfTraceback } from "../repl/traceback.ts"
import { pathLiteral } from "./path-name.ts"
import { createPieceCode, type PieceCode } from "./piece-code.ts"
import { functionCode } from "./run-function.ts"
import { takeExactly } from "./take-exactly.ts"
import type { PartWriter, WriteOptions } from "./write-part.ts"

/** A ring of 256 bytes holds 255. */
const ringSlack = 2
/** Without raw-paste nobody says how much the board takes while it is busy; so little all of them do. */
const smallestRing = 64
/** So few pieces are on their way at least: while the board writes one the next ones come. */
const piecesAtOnce = 4
const smallestPiece = 20
const largestPiece = 240
/** Erasing flash takes a second, on a file system that is nearly full several. */
const answerMs = 10_000
const triesAfterLoss = 2
/** The board answers to what is on its way within that. */
const quietMs = 1_000

const taken = 0x06
const refused = 0x15
/** Bytes before this piece were lost. */
const lost = 0x18
const ended = 0x04
const answers: ReadonlySet<number> = new Set([taken, refused, lost, ended])

/**
 * Runs on the board: reads pieces of a known size, and answers each one when it is written, so that what is on its way
 * never exceeds what the board takes while it is busy. After an error it reads on, because what is on its way would be code
 * to the REPL, until the sender stops; a read that has no memory has read nothing, and is tried again. It ends by itself with the last piece. It may wait for bytes for ever when the sender
 * dies, which is enough: 03 is in none of them, so that the next Ctrl-C ends it, and the file is closed.
 */
const body = ({ decoder, aroundBytes, isNumbered, isStop }: PieceCode) => `
r=sys.stdin.buffer.read;w=sys.stdout.buffer.write
e=None
a=b'\\x06'
i=0
f=open(p,m)
try:
 if o:f.seek(o)
 w(a)
 while n>0:
  k=min(n,z)
  try:d=r(k+${aroundBytes})
  except MemoryError:continue
  if ${isStop}:break
  if a==b'\\x06':
   if ${isNumbered}:
    try:f.write(${decoder})
    except Exception as x:e=x;a=b'\\x15'
   else:a=b'\\x18'
  i+=1
  n-=k
  w(a)
finally:f.close()
if e:raise e
`

/**
 * Sends the rest of a file to a loop that runs on the board. When it tells that bytes were lost, or does not answer, the
 * loop is interrupted, and another one begun behind what was written, with half as much on its way.
 */
export class ReceiveLoop implements PartWriter {
  readonly #session: Session
  readonly #options: WriteOptions
  readonly #code: PieceCode
  /** Not sent yet: less than a piece but for a moment. */
  readonly #waiting = new ByteQueue()
  /** Pieces that were not answered. */
  #onTheirWay: Uint8Array[] = []
  #writtenBytes = 0
  /** With those refused: the board has read them. */
  #answeredBytes = 0
  /** To this loop. */
  #sentPieces = 0
  #isRefused = false
  #window: Window
  #triesLeft = triesAfterLoss

  constructor(session: Session, options: WriteOptions) {
    this.#session = session
    this.#options = options
    this.#code = createPieceCode(options)
    this.#window = windowOf(session.memory, this.#code)
  }

  async begin(): Promise<void> {
    const { path, offset, leftBytes } = this.#options
    const at = offset + this.#writtenBytes
    const given = {
      p: pathLiteral(path),
      m: at > 0 ? "'r+b'" : "'wb'",
      o: at,
      n: leftBytes - this.#writtenBytes,
      z: this.#window.dataBytes,
    }
    const code = { imports: "import sys", body: body(this.#code), given }
    this.#sentPieces = 0
    await this.#session.start(functionCode(code))
    if ((await this.#answer()) !== taken) await this.#fail()
  }

  async write(data: Uint8Array): Promise<void> {
    this.#waiting.push(data)
    while (this.#waiting.byteLength >= this.#window.dataBytes) await this.#send(this.#window.dataBytes)
  }

  async end(): Promise<void> {
    for (;;) {
      while (this.#waiting.byteLength > 0)
        await this.#send(Math.min(this.#waiting.byteLength, this.#window.dataBytes))
      if (this.#onTheirWay.length === 0) break
      await this.#takeAnswer()
    }
    if (this.#isRefused) return await this.giveUp()
    await this.#finish()
  }

  /** Lets the loop end before the file does. Throws what the board refused a piece for, if it did. */
  async giveUp(): Promise<void> {
    this.#triesLeft = 0
    while (this.#onTheirWay.length > 0) await this.#takeAnswer()
    const left = this.#options.leftBytes - this.#answeredBytes
    const stop = this.#code.stop(Math.min(left, this.#window.dataBytes))
    if (left > 0) await this.#session.sayAnyway((talk) => talk.send(stop))
    await this.#finish()
  }

  async #send(dataBytes: number): Promise<void> {
    if (this.#isRefused) return await this.giveUp()
    const pieceBytes = dataBytes + this.#code.aroundBytes
    if (this.#onTheirWay.length > 0 && this.#bytesOnTheirWay() + pieceBytes > this.#window.bytes)
      return await this.#takeAnswer()
    const data = takeExactly(this.#waiting, dataBytes)
    this.#onTheirWay.push(data)
    const piece = this.#code.encode(data, this.#sentPieces++)
    await this.#session.sayAnyway((talk) => talk.send(piece))
  }

  #bytesOnTheirWay(): number {
    return this.#onTheirWay.reduce((sum, { byteLength }) => sum + byteLength + this.#code.aroundBytes, 0)
  }

  async #takeAnswer(): Promise<void> {
    const answer = await this.#answer()
    if (answer === null || answer === lost) return await this.#goOnAfterLoss(answer)
    if (answer === ended) await this.#fail()
    if (answer === refused) this.#isRefused = true
    const bytes = this.#onTheirWay.shift()?.byteLength ?? 0
    this.#answeredBytes += bytes
    if (answer === refused) return
    this.#writtenBytes += bytes
    this.#options.onWritten(bytes)
  }

  async #goOnAfterLoss(answer: number | null): Promise<void> {
    // It is interrupted when it has read what is on its way, which would be code to the REPL.
    const endMs = this.#session.deadline(answerMs)
    while (answer !== null && this.#session.clock.monotonicMs() < endMs) answer = await this.#answer(quietMs)
    await this.#session.stop()
    if (this.#triesLeft === 0 || this.#isRefused)
      throw new AppError(
        "transfer_failed",
        "Bytes of the file are lost on their way to the board, again and again.",
      )
    this.#triesLeft--
    const { memory } = this.#session
    memory.inputBytes = Math.max(smallestRing, (memory.inputBytes ?? smallestRing) >> 1)
    this.#window = windowOf(memory, this.#code)
    const again = concatBytes([...this.#onTheirWay, this.#waiting.takeAll()])
    this.#onTheirWay = []
    this.#waiting.push(again)
    await this.begin()
  }

  /** null: none. Whatever else prints on the board meanwhile is passed over: the file is compared at its end. */
  async #answer(waitMs = answerMs): Promise<number | null> {
    const deadlineMs = this.#session.deadline(waitMs)
    for (;;) {
      const byte = await this.#session.sayAnyway((talk) => talk.byte(deadlineMs))
      if (byte === null || answers.has(byte)) return byte
    }
  }

  async #finish(): Promise<void> {
    const endMs = this.#session.deadline(answerMs)
    for (;;) {
      const answer = await this.#answer()
      if (answer === ended) break
      if (answer === null || this.#session.clock.monotonicMs() >= endMs) throw silent()
    }
    this.#throwUnlessWell(await this.#session.finish())
  }

  /** The loop has not begun, or has ended before its time. */
  async #fail(): Promise<never> {
    const stderr = await this.#session.finish()
    this.#throwUnlessWell(stderr)
    throw new AppError("transfer_failed", "The board ended the transfer before its time.")
  }

  #throwUnlessWell(stderr: string): void {
    if (stderr !== "") throw errorOfTraceback(stderr, this.#options.what)
  }
}

interface Window {
  /** What may be on its way. */
  readonly bytes: number
  /** The data of a piece. */
  readonly dataBytes: number
}

function windowOf({ inputBytes }: BoardMemory, { aroundBytes }: PieceCode): Window {
  const bytes = (inputBytes ?? smallestRing) - ringSlack
  const pieceBytes = Math.max(smallestPiece, Math.floor(bytes / piecesAtOnce))
  return { bytes, dataBytes: Math.min(largestPiece, pieceBytes) - aroundBytes }
}

function silent(): AppError {
  return new AppError("board_timeout", "The board does not answer to the pieces of the file.")
}
