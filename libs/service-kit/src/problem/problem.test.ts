import { once } from "node:events"
import { createServer } from "node:http"
import { AppError, toAppError } from "@serialcast/contract"
import { expect, test } from "vitest"
import { closeServer } from "../listen/close-server.ts"
import { listen } from "../listen/listen.ts"
import { problemDocument, sendProblem } from "./problem.ts"

test("a problem carries the catalogue's status, code and advice", () => {
  expect(problemDocument(new AppError("bad_hex", "Expected hex digits."))).toEqual({
    type: "urn:serialcast:error:bad_hex",
    title: "Bad hex",
    status: 400,
    code: "bad_hex",
    detail: "Expected hex digits.",
    fix: "Send an even number of hex digits and nothing else; nothing was written.",
  })
})

test("what went wrong inside is not told", () => {
  expect(problemDocument(toAppError(new Error("ENOENT /root/secret"))).detail).not.toContain("secret")
})

test("a problem is sent with its media type; a 401 names the scheme", async () => {
  const server = createServer((_, response) =>
    sendProblem(response, new AppError("unauthorized", "Expected a token.")),
  )
  const { port } = await listen(server, { host: "127.0.0.1", port: 0 }, "test")
  const response = await fetch(`http://127.0.0.1:${port}/`)
  expect(response.status).toBe(401)
  expect(response.headers.get("content-type")).toBe("application/problem+json")
  expect(response.headers.get("www-authenticate")).toBe("Bearer")
  expect(response.headers.get("cache-control")).toBe("no-store")
  expect(await response.json()).toMatchObject({ code: "unauthorized", status: 401 })
  await closeServer(server)
})

test("an answer that has begun is cut, so that nobody takes it for complete", async () => {
  const server = createServer((_, response) => {
    response.writeHead(200, { "Content-Length": 10 }).write("half", () => {
      sendProblem(response, new AppError("internal", "broken"))
    })
  })
  const { port } = await listen(server, { host: "127.0.0.1", port: 0 }, "test")
  const closed = once(server, "close")
  await expect(fetch(`http://127.0.0.1:${port}/`).then((response) => response.text())).rejects.toThrow()
  await closeServer(server)
  await closed
})
