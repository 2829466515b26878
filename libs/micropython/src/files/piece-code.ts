import { replCode } from "../repl/repl-codes.ts"

/** What may not be sent while a program runs: 03 would interrupt it. */
const always = [replCode.interrupt]
const withFlowControl = [replCode.interrupt, replCode.xon, replCode.xoff]
/** What a piece begins with that has no data: the sender gives up. A line end means nothing to the REPL, if it gets there. */
const stopByte = 0x0a
const tailBytes = 2

/**
 * How pieces of a file are written so that bytes which mean something to the port or the REPL are not among them: each
 * piece begins with one byte for each of those, which stands for it in what follows and is not in the piece itself. The
 * board puts them back with `bytes.replace`, which is C. Each ends with its number, twice, by which the board notices that
 * bytes before it were lost: of other bytes one pair in 65,536 passes for it, and then the hash of the file tells.
 */
export interface PieceCode {
  /** Bytes that a piece is longer than its data. */
  readonly aroundBytes: number
  /** `index`: how many pieces were before it. */
  encode(data: Uint8Array, index: number): Uint8Array
  /** A piece of `dataBytes` that means: no more. */
  stop(dataBytes: number): Uint8Array
  /** Python expressions of the piece `d`: its data; and whether it is the one with number `i`. */
  readonly decoder: string
  readonly isNumbered: string
  /** Whether it is the last one. */
  readonly isStop: string
}

/** `maxDataBytes` of a piece are 250 at most, so that there are bytes that it does not have. */
export function createPieceCode({
  softwareFlowControl,
}: {
  readonly softwareFlowControl: boolean
}): PieceCode {
  const forbidden: readonly number[] = softwareFlowControl ? withFlowControl : always
  const headBytes = forbidden.length
  const aroundBytes = headBytes + tailBytes
  const replace = (byte: number, at: number) =>
    `.replace(d[${at}:${at + 1}],b'\\x${byte.toString(16).padStart(2, "0")}')`
  return {
    aroundBytes,
    encode: (data, index) => encodePiece(data, index, forbidden),
    stop: (dataBytes) => new Uint8Array(aroundBytes + dataBytes).fill(stopByte),
    decoder: `d[${headBytes}:-${tailBytes}]${forbidden.map(replace).join("")}`,
    // A number and what it lacks to 127: neither is a forbidden byte.
    isNumbered: "d[-2]==32+i%64 and d[-1]+d[-2]==127",
    isStop: `d[0]==${stopByte}`,
  }
}

function encodePiece(data: Uint8Array, index: number, forbidden: readonly number[]): Uint8Array {
  const isUsed = new Uint8Array(256)
  for (const byte of data) isUsed[byte] = 1
  for (const byte of [...forbidden, stopByte]) isUsed[byte] = 1
  const headBytes = forbidden.length
  const piece = new Uint8Array(headBytes + data.byteLength + tailBytes)
  const number = 32 + (index % 64)
  piece.set(data, headBytes)
  piece.set([number, 127 - number], headBytes + data.byteLength)
  forbidden.forEach((byte, at) => {
    const stand = isUsed.indexOf(0)
    isUsed[stand] = 1
    piece[at] = stand
    for (let place = 0; place < data.byteLength; place++) {
      if (data[place] === byte) piece[headBytes + place] = stand
    }
  })
  return piece
}
