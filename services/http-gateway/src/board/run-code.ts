import { AppError } from "@serialcast/contract"
import type { Request, Response } from "express"
import { queryOf } from "../api/query.ts"
import type { HeldMemory } from "../body/held-memory.ts"
import { readBody } from "../body/read-body.ts"
import { type BoardDeps, takeBoard } from "./take-board.ts"

const mostCodeBytes = 256 * 1024
const [defaultMs, mostMs] = [10_000, 3_600_000]

/**
 * `POST …/run?timeoutMs=`: runs the body as Python on the board; answers what it printed and the traceback, if there is one.
 */
export async function runCode(
  request: Request,
  response: Response,
  deps: BoardDeps & { readonly memory: HeldMemory },
): Promise<void> {
  const timeoutMs = timeoutOf(queryOf(request).get("timeoutMs"))
  const account = deps.memory.open(response)
  const body = await readBody(request, { ...deps, limitBytes: mostCodeBytes, account })
  const code = decode(body)
  const { stdout, stderr } = await takeBoard(request, response, "run", deps, (board, signal) =>
    board.exec(code, { timeoutMs, signal }),
  )
  response.json({ stdout: new TextDecoder().decode(stdout), stderr })
}

function decode(body: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body)
  } catch (cause) {
    throw new AppError("bad_request", "Expected Python code in UTF-8.", { cause })
  }
}

function timeoutOf(text: string | null): number {
  if (text === null) return defaultMs
  const ms = Number(text)
  if (Number.isInteger(ms) && ms >= 1 && ms <= mostMs) return ms
  throw new AppError("bad_request", `timeoutMs: expected 1 to ${mostMs}; found ${JSON.stringify(text)}.`)
}
