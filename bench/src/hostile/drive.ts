import { once } from "node:events"
import { connect, type Socket } from "node:net"
import { setImmediate as nextTurn } from "node:timers/promises"
import { concatBytes } from "@serialcast/primitives"
import type { Choices } from "./choices.ts"
import type { Conversation, Surface } from "./surface.ts"

/** A connection is over when nothing came for this long after the last input, or after `mostMs`. */
const quietMs = 30
const mostMs = 2_000
/** Of what is answered on one connection, the first is looked at. */
const maxAnswerBytes = 1024 * 1024
const parallel = 24

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
      const [found] = fault.exec(await converse(conversation, pieces, choices.below(3))) ?? []
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
  ending: number,
): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true })
  const answer: Uint8Array[] = []
  let answerBytes = 0
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()))
  // It is reset when it has sent what is none: that is the answer.
  socket.on("error", () => {})
  const quiet = until(socket)
  socket.on("data", (bytes: Uint8Array) => {
    if (answerBytes < maxAnswerBytes) answer.push(bytes)
    answerBytes += bytes.byteLength
  })
  for (const piece of pieces) {
    if (socket.destroyed) break
    socket.write(piece)
    if (pieces.length > 1) await nextTurn()
  }
  await Promise.race([closed, quiet])
  if (ending === 0) socket.resetAndDestroy()
  else if (ending === 1) socket.destroy()
  else await Promise.race([closed, once(socket.end(), "finish").catch(() => {})])
  socket.destroy()
  await closed
  return latin1(concatBytes(answer))
}

/** Resolves when nothing came for a while, though not before it is connected. */
function until(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const most = setTimeout(resolve, mostMs)
    let quiet: NodeJS.Timeout | undefined
    const wait = () => {
      quiet = quiet?.refresh() ?? setTimeout(resolve, quietMs)
    }
    socket.once("connect", wait)
    socket.on("data", wait)
    socket.once("close", () => {
      clearTimeout(most)
      clearTimeout(quiet)
    })
  })
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1")
}
