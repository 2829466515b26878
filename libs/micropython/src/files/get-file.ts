import { AppError } from "@serialcast/contract"
import type { MonotonicMs } from "@serialcast/primitives"
import type { Session } from "../board/session.ts"
import type { Conversation } from "../repl/conversation.ts"
import type { Talk } from "../repl/talk.ts"
import { errorOfTraceback } from "../repl/traceback.ts"
import type { BoardFeatures } from "./features.ts"
import { createFileHasher, type FileHasher, hashCodes } from "./hash-code.ts"
import { pathLiteral } from "./path-name.ts"
import { functionCode } from "./run-function.ts"

/** A piece is what the board holds in memory; four on their way are 180 ms at 115,200 baud, longer than a network takes. */
const pieceBytes = 512
const piecesAhead = 4
const silenceMs = 10_000
const endMs = 10_000
/** A line of a piece in hex, and the hash at the end. */
const maxLine = 2 * pieceBytes + 16

const kinds = { data: 0x44, end: 0x45, exception: 0x04 } as const
const goOn = 0x06
const stop = 0x04

export interface GetRequest {
  readonly path: string
  readonly features: BoardFeatures
  readonly softwareFlowControl: boolean
  readonly signal: AbortSignal | undefined
}

/** As they are, or as a line of base64 or hex where they would be changed on their way. */
type PieceForm = "binary" | "base64" | "hex"

function formOf({ features, softwareFlowControl }: GetRequest): PieceForm {
  if (features.hasBinaryOutput && !softwareFlowControl) return "binary"
  return features.hasBase64 ? "base64" : "hex"
}

const printers: Readonly<Record<PieceForm, { readonly imports: string; readonly print: string }>> = {
  binary: { imports: "", print: "w(bytes((68,len(d)>>8,len(d)&255)));w(d)" },
  base64: {
    imports:
      "try:from binascii import b2a_base64 as b\nexcept ImportError:from ubinascii import b2a_base64 as b",
    print: "print('D'+b(d).decode().strip())",
  },
  hex: { imports: "", print: "print('D'+''.join('%02x'%x for x in d))" },
}

/** Runs on the board: as many pieces as were granted, then one for each byte that comes; 04 ends it before its time. */
function sendingCode({ path, features }: GetRequest, form: PieceForm): string {
  const { imports, begin, step, hex } = hashCodes[features.hash]
  const printer = printers[form]
  const output = form === "binary" ? "w=sys.stdout.buffer.write" : ""
  const body = `
s=os.stat(p)
if s[0]&0x4000:raise OSError(21)
${begin}
n=s[6]
c=${piecesAhead}
${output}
with open(p,'rb') as f:
 print('S',n)
 while n>0:
  d=f.read(min(n,${pieceBytes}))
  if not d:break
  n-=len(d)
  ${step}
  if c:c-=1
  elif sys.stdin.read(1)=='\\x04':return
  ${printer.print}
print('E'+${hex})
`
  const needed = ["import os,sys", imports, printer.imports].filter((part) => part !== "")
  return functionCode({ imports: needed.join("\n"), body, given: { p: pathLiteral(path) } })
}

/**
 * A file that a program on the board sends, piece by piece, as far as it is read here and a few pieces ahead. Begun by
 * `open`; then `next` until it answers null, or `giveUp`, which leave the board in raw mode.
 */
export class SendingBoard {
  readonly #session: Session
  readonly #request: GetRequest
  readonly #form: PieceForm
  readonly #hasher: FileHasher
  #size = 0
  #leftBytes = 0
  #heardPieces = 0
  #grantedPieces = piecesAhead

  constructor(session: Session, request: GetRequest) {
    this.#session = session
    this.#request = request
    this.#form = formOf(request)
    this.#hasher = createFileHasher(request.features.hash)
  }

  /** Answers the size of the file. */
  async open(): Promise<number> {
    await this.#session.start(sendingCode(this.#request, this.#form), this.#request.signal)
    const deadlineMs = this.#session.deadline(silenceMs)
    const line = await this.#session.sayAnyway((talk) => readLine(talk, deadlineMs))
    if (line === null) return await this.#fail()
    const [, size] = /S (\d{1,15})$/.exec(line) ?? []
    if (size === undefined) throw spoilt()
    this.#size = Number(size)
    this.#leftBytes = this.#size
    return this.#size
  }

  async next(): Promise<Uint8Array | null> {
    if (this.#heardPieces > 0) await this.#grant()
    const piece = await this.#piece()
    if (piece !== null) {
      this.#hasher.update(piece)
      this.#leftBytes -= piece.byteLength
      // Whoever reads was told the size, and has room for no more.
      if (this.#leftBytes < 0) throw spoilt()
      return piece
    }
    await this.#end()
    return null
  }

  /** Ends it before the file does: what is on its way is read and forgotten. */
  async giveUp(): Promise<void> {
    while (this.#heardPieces < Math.min(this.#grantedPieces, this.#pieces)) {
      if ((await this.#piece()) === null) return await this.#end(false)
    }
    if (this.#heardPieces < this.#pieces) await this.#session.sayAnyway((talk) => talk.send(stop))
    else if ((await this.#piece()) === null) return await this.#end(false)
    await this.#seeEnd()
  }

  get #pieces(): number {
    return Math.ceil(this.#size / pieceBytes)
  }

  /** Never more than the board waits for: what is left over would be typed into its REPL. */
  async #grant(): Promise<void> {
    if (this.#grantedPieces >= this.#pieces) return
    this.#grantedPieces++
    await this.#session.sayAnyway((talk) => talk.send(goOn))
  }

  /** null: the end, whose hash follows. */
  async #piece(): Promise<Uint8Array | null> {
    const deadlineMs = this.#session.deadline(silenceMs)
    const piece = await this.#session.sayAnyway((talk) => readPiece(talk, this.#form, deadlineMs))
    if (piece === "silent")
      throw new AppError("board_timeout", "The board stopped sending in the middle of the file.")
    if (piece === "spoilt") throw spoilt()
    if (piece === "exception") return await this.#fail()
    if (piece !== "end") this.#heardPieces++
    return piece === "end" ? null : piece
  }

  async #end(isWhole = true): Promise<void> {
    const deadlineMs = this.#session.deadline(endMs)
    const hex = await this.#session.sayAnyway((talk) => readLine(talk, deadlineMs))
    await this.#seeEnd()
    // One that became shorter meanwhile is not what was promised either.
    if (isWhole && (this.#leftBytes > 0 || hex !== this.#hasher.hex())) throw spoilt()
  }

  async #seeEnd(): Promise<void> {
    const deadlineMs = this.#session.deadline(endMs)
    while ((await this.#session.sayAnyway((talk) => talk.byte(deadlineMs))) !== kinds.exception) {
      if (this.#session.clock.monotonicMs() >= deadlineMs)
        throw new AppError("board_timeout", "The board did not end its program.")
    }
    await this.#session.finish()
    // A file that became shorter meanwhile was granted more than it had: Ctrl-C clears what raw mode got instead.
    if (this.#heardPieces < this.#pieces) await this.#session.sayAnyway((talk) => talk.send(0x03))
  }

  async #fail(): Promise<never> {
    throw errorOfTraceback(await this.#session.finish(), `get of ${this.#request.path}`)
  }
}

function spoilt(): AppError {
  return new AppError(
    "transfer_failed",
    "What came of the file is not what the board has: something else printed meanwhile, or bytes were changed.",
  )
}

/** Without its end; null: the program ended instead. Throws `board_timeout`, or `transfer_failed` when it is too long. */
function* readLine(talk: Talk, deadlineMs: MonotonicMs): Conversation<string | null> {
  let line = ""
  for (;;) {
    const byte = yield* talk.byte(deadlineMs)
    if (byte === null) throw new AppError("board_timeout", "The board stopped in the middle of a line.")
    if (byte === kinds.exception) return null
    if (byte === 0x0a) return line.replace(/\r$/, "")
    line += String.fromCharCode(byte)
    if (line.length > maxLine) throw spoilt()
  }
}

type Piece = Uint8Array | "end" | "exception" | "silent" | "spoilt"

function* readPiece(talk: Talk, form: PieceForm, deadlineMs: MonotonicMs): Conversation<Piece> {
  const kind = yield* talk.byte(deadlineMs)
  if (kind === null) return "silent"
  if (kind === kinds.exception) return "exception"
  if (kind === kinds.end) return "end"
  if (kind !== kinds.data) return "spoilt"
  if (form === "binary") return yield* readBinary(talk, deadlineMs)
  const line = yield* readLine(talk, deadlineMs)
  return line === null ? "exception" : new Uint8Array(Buffer.from(line, form))
}

/** Two bytes of length, most significant first, and as many bytes. */
function* readBinary(talk: Talk, deadlineMs: MonotonicMs): Conversation<Piece> {
  const length = yield* talk.exactly(2, deadlineMs)
  if (length === null) return "silent"
  const count = 256 * (length[0] ?? 0) + (length[1] ?? 0)
  if (count === 0 || count > pieceBytes) return "spoilt"
  return (yield* talk.exactly(count, deadlineMs)) ?? "silent"
}
