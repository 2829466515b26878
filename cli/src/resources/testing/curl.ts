import { execFile } from "node:child_process"
import { connect } from "node:net"
import { connect as connectTls } from "node:tls"

export interface CurlAnswer {
  readonly status: number
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

/** What curl got, whatever the server's certificate; `input` is its standard input. */
export async function curl(args: readonly string[], input = ""): Promise<CurlAnswer> {
  const all = ["-sk", "-i", "--http1.1", "--path-as-is", "--max-time", "30", ...args]
  const output = await new Promise<string>((resolve, reject) => {
    const child = execFile("curl", all, { maxBuffer: 1024 * 1024 }, (error, stdout) => {
      // A server may close while curl still sends (55, 56): the answer came before.
      if (error !== null && stdout === "") reject(new Error(`curl ${args.join(" ")}: ${error.message}`))
      else resolve(stdout)
    })
    child.stdin?.on("error", () => {})
    child.stdin?.end(input)
  })
  return parseAnswer(output)
}

/** What is answered to text that curl would not send. */
export async function send(url: string, text: string): Promise<CurlAnswer> {
  const { hostname: host, port, protocol } = new URL(url)
  const to = { host, port: Number(port) }
  const socket = protocol === "https:" ? connectTls({ ...to, rejectUnauthorized: false }) : connect(to)
  socket.end(text)
  let output = ""
  for await (const part of socket.setEncoding("latin1")) output += String(part)
  return parseAnswer(output)
}

function parseAnswer(output: string): CurlAnswer {
  const end = output.indexOf("\r\n\r\n")
  const [line = "", ...lines] = output.slice(0, end).split("\r\n")
  const status = Number(line.split(" ")[1])
  // What came before: "100 Continue".
  if (status === 100) return parseAnswer(output.slice(end + 4))
  const headers = lines.map((text) => {
    const [name = "", ...rest] = text.split(":")
    return [name.toLowerCase(), rest.join(":").trim()] as const
  })
  return { status, headers: new Map(headers), body: output.slice(end + 4) }
}
