import { type AppError, toAppError } from "@serialcast/contract"
import { createWakeup } from "@serialcast/primitives"
import type { Refusals } from "@serialcast/service-kit"
import { httpAnswer, upgradeAnswer } from "../handshake/answers.ts"
import type { Head } from "../handshake/judge-head.ts"
import type { BoardDoor } from "../session/board-door.ts"
import type { ClientConnection } from "../session/client-connection.ts"
import { ClientSession } from "../session/client-session.ts"
import { endSocket } from "../session/frame-socket.ts"
import { readHead } from "../session/read-head.ts"

/** What a file of the page may take on its way, in milliseconds: half a megabyte to a phone. */
const pageMs = 30_000

/** The whole answer to somebody who does not upgrade. */
export type PageAnswer = (head: Head) => Uint8Array

export interface VisitorDeps {
  readonly door: BoardDoor
  readonly answerPage: PageAnswer
  readonly refusals: Refusals
  /** Heads are logged. */
  readonly debug: boolean
  /** Those who are being served, so that a stop can tell them. */
  readonly sessions: Set<ClientSession>
}

/** Serves whoever connects, until the connection is closed. */
export async function serveVisitor(client: ClientConnection, deps: VisitorDeps): Promise<void> {
  const { door, answerPage, refusals, debug, sessions } = deps
  const { clock } = door
  const { socket, signal } = client
  try {
    const read = await readHead(socket, { clock, signal })
    if (read === null) return
    const { head, lines, rest } = read
    if (debug) client.log.info({ lines }, "the head of a request")
    if (head.webSocketKey === null) endSocket(socket, answerPage(head), { clock, timeoutMs: pageMs })
    else {
      client.hasOrigin = head.hasOrigin
      socket.write(upgradeAnswer(head.webSocketKey))
      await serveSession(new ClientSession(client, door), rest, sessions)
    }
  } catch (cause) {
    const error = toAppError(cause)
    refusals.report(client.address, error)
    if (error.code === "internal") client.log.error({ err: cause }, "a client's session failed")
    if (socket.writable) endSocket(socket, problemAnswer(error), { clock })
  }
  await createWakeup().wait({ signal })
}

async function serveSession(
  session: ClientSession,
  rest: Uint8Array,
  sessions: Set<ClientSession>,
): Promise<void> {
  sessions.add(session)
  try {
    await session.serve(rest)
  } finally {
    sessions.delete(session)
  }
}

function problemAnswer({ code, status, message }: AppError): Uint8Array {
  const headers = { "Content-Type": "text/plain; charset=utf-8" }
  return httpAnswer(
    { status: `${status} ${code}`, headers, body: new TextEncoder().encode(`${message}\n`) },
    "GET",
  )
}
