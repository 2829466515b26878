import { eventually, seededRandom } from "@serialcast/testkit"
import { expect, test } from "vitest"
import { startTestServer } from "../testing/test-server.ts"
import { whyNotUri } from "../uri/canonical-uri.ts"

const pieces = [
  "GET ",
  "PUT ",
  "POST ",
  "DELETE ",
  "BREW ",
  "/a",
  "/a/../b",
  "%2F",
  "%00",
  "%",
  "?recursive=1",
  "#",
  " HTTP/1.1\r\n",
  " HTTP/2.0\r\n",
  "Host: localhost\r\n",
  "Content-Length: 3\r\n",
  "Content-Length: 99999999999\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Expect: 100-continue\r\n",
  "Connection: close\r\n",
  "Content-Type: text/html\r\n",
  'If-Match: "x"\r\n',
  "Accept: text/*;q=0\r\n",
  "\r\n",
  "\r\n\r\n",
  "3\r\nabc\r\n",
  "0\r\n\r\n",
  "\0",
  "\n",
  " ",
]
const whole = "PUT /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc"

/** Bytes that are nearly HTTP. */
function nearlyHttp(random: () => number): string {
  const choose = (): string => pieces[Math.floor(random() * pieces.length)] ?? ""
  const parts = Array.from({ length: Math.floor(random() * 20) }, () => (random() < 0.2 ? whole : choose()))
  return parts.join("")
}

test("no bytes of clients end the server, reach its errors, or make a resource that may not be", async () => {
  const random = seededRandom()
  const { connect, store, errors, sockets } = await startTestServer({ maxUri: 5 })
  for (let clients = 0; clients < 300; clients++) {
    const client = await connect()
    const text = nearlyHttp(random.next)
    const cut = Math.floor(random.next() * text.length)
    client.send(text.slice(0, cut))
    if (random.next() < 0.5) await new Promise(setImmediate)
    client.socket.end(text.slice(cut))
    if (random.next() < 0.2) client.socket.destroy()
  }
  const last = await connect()
  const answer = await last.ask("OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n")
  await eventually(() => expect(sockets.filter(({ destroyed }) => !destroyed)).toHaveLength(1))
  const bad = store.list().filter(({ uri }) => whyNotUri(uri) !== undefined)
  expect({ seed: random.seed, status: answer.status, errors, bad }).toEqual({
    seed: random.seed,
    status: 204,
    errors: [],
    bad: [],
  })
  expect(store.size).toBeLessThanOrEqual(5)
})
