import { replCode } from "../repl/repl-codes.ts"

/** What may not be sent while a program runs: 03 would interrupt it. */
const always = [replCode.interrupt]
const withFlowControl = [replCode.interrupt, replCode.xon, replCode.xoff]
/** What a piece begins with that has no data: the sender gives up. */
const stopByte = replCode.end

/**
 * How pieces of a file are written so that bytes which mean something to the port or the REPL are not among them: each
 * piece begins with one byte for each of those, which stands for it in what follows and is not in the piece itself. The
 * board puts them back with `bytes.replace`, which is C.
 */
export interface PieceCode {
  /** Bytes that a piece is longer than its data. */
  readonly headBytes: number
  encode(data: Uint8Array): Uint8Array
  /** A piece of `dataBytes` that means: no more. */
  stop(dataBytes: number): Uint8Array
  /** A Python expression for the data of the piece `d`. */
  readonly decoder: string
}

/** `maxDataBytes` of a piece are 250 at most, so that there are bytes that it does not have. */
export function createPieceCode({
  softwareFlowControl,
}: {
  readonly softwareFlowControl: boolean
}): PieceCode {
  const forbidden: readonly number[] = softwareFlowControl ? withFlowControl : always
  const headBytes = forbidden.length
  const replace = (byte: number, at: number) =>
    `.replace(d[${at}:${at + 1}],b'\\x${byte.toString(16).padStart(2, "0")}')`
  return {
    headBytes,
    encode: (data) => encodePiece(data, forbidden),
    stop: (dataBytes) => new Uint8Array(headBytes + dataBytes).fill(stopByte),
    decoder: `d[${headBytes}:]${forbidden.map(replace).join("")}`,
  }
}

function encodePiece(data: Uint8Array, forbidden: readonly number[]): Uint8Array {
  const isUsed = new Uint8Array(256)
  for (const byte of data) isUsed[byte] = 1
  for (const byte of [...forbidden, stopByte]) isUsed[byte] = 1
  const piece = new Uint8Array(forbidden.length + data.byteLength)
  piece.set(data, forbidden.length)
  forbidden.forEach((byte, at) => {
    const stand = isUsed.indexOf(0)
    isUsed[stand] = 1
    piece[at] = stand
    for (let place = forbidden.length; place < piece.byteLength; place++) {
      if (data[place - forbidden.length] === byte) piece[place] = stand
    }
  })
  return piece
}
