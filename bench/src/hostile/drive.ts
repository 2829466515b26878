import { connect, type Socket } from "node:net"
import { setImmediate as nextTurn } from "node:timers/promises"
import { concatBytes } from "@serialcast/primitives"
import type { Choices } from "./choices.ts"
import type { Conversation, Surface } from "./surface.ts"

/** A client waits for its first answer, then until nothing came for `quietMs`; then it ends, and waits for the gateway's end. */
const firstAnswerMs = 500
const quietMs = 30
/** Longer than the second that a tunnel gives to what still comes. */
const endMs = 3_000
/** Of what is answered on one connection, the first is looked at. */
const maxAnswerBytes = 1024 * 1024
/** So many at a time wait for the gateway: hostile, but no flood. */
const parallel = 16

/** Faults of the server, as its protocols word them; `h` is the head of that text in CBOR. */
const fault = /^HTTP\/1\.1 500 |"internal"|error:internal|hinternal/m

/** Has conversations, some at the same time, until so many inputs were sent; answers their number. Throws at a fault. */
export async function drive(surface: Surface, choices: Choices, inputs: number): Promise<number> {
  let sent = 0
  const work = async () => {
    while (sent < inputs) {
      const conversation = surface.next(choices)
      sent += conversation.inputs.length
      const pieces = choices.split(concatBytes(conversation.inputs))
      const [found] = fault.exec(await converse(conversation, pieces, choices.chance(0.1))) ?? []
      if (found !== undefined)
        throw new Error(
          `${surface.name}: ${found} after ${JSON.stringify(conversation.inputs.map(latin1)).slice(0, 5_000)}`,
        )
    }
  }
  await Promise.all(Array.from({ length: parallel }, work))
  return sent
}

/** Sends what there is to send; answers what came back. */
async function converse(
  { port }: Conversation,
  pieces: readonly Uint8Array[],
  isReset: boolean,
): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true })
  const answer: Uint8Array[] = []
  let answerBytes = 0
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()))
  // It is reset when it has sent what is none: that is the answer.
  socket.on("error", () => {})
  socket.once("end", () => socket.end())
  const quiet = untilQuiet(socket)
  socket.on("data", (bytes: Uint8Array) => {
    if (answerBytes < maxAnswerBytes) answer.push(bytes)
    answerBytes += bytes.byteLength
  })
  for (const piece of pieces) {
    if (socket.destroyed) break
    socket.write(piece)
    if (pieces.length > 1) await nextTurn()
  }
  await quiet
  if (isReset) socket.resetAndDestroy()
  else socket.end()
  const late = setTimeout(() => socket.destroy(), endMs)
  await closed
  clearTimeout(late)
  return latin1(concatBytes(answer))
}

/** Resolves at the connection's end too. */
function untilQuiet(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    let timer = setTimeout(resolve, firstAnswerMs)
    socket.on("data", () => {
      clearTimeout(timer)
      timer = setTimeout(resolve, quietMs)
    })
    socket.once("close", () => {
      clearTimeout(timer)
      resolve()
    })
  })
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1")
}
