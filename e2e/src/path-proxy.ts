import { once } from "node:events"
import { createServer, type IncomingMessage, request } from "node:http"
import { type AddressInfo, connect } from "node:net"

/** A reverse proxy that serves a site below a path, which it takes off, as nginx does with `proxy_pass …/;`. */
export interface PathProxy extends AsyncDisposable {
  /** Ends with the path and a slash. */
  readonly url: string
}

export async function startPathProxy(site: string, path: string): Promise<PathProxy> {
  const { hostname, port } = new URL(site)
  const forwarded = ({ url = "", headers }: IncomingMessage) =>
    url.startsWith(`${path}/`) ? { path: url.slice(path.length), headers } : null
  const server = createServer((asked, answer) => {
    const target = forwarded(asked)
    if (target === null) return void answer.writeHead(404).end()
    const onward = request({ host: hostname, port, method: asked.method, ...target }, (reply) => {
      answer.writeHead(reply.statusCode ?? 502, reply.headers)
      reply.pipe(answer)
    })
    onward.on("error", () => answer.destroy())
    asked.pipe(onward)
  })
  server.on("upgrade", (asked: IncomingMessage, client) => {
    const target = forwarded(asked)
    if (target === null) return client.destroy()
    const upstream = connect(Number(port), hostname, () => {
      const head = [`GET ${target.path} HTTP/1.1`]
      for (let at = 0; at < asked.rawHeaders.length; at += 2)
        head.push(`${asked.rawHeaders[at]}: ${asked.rawHeaders[at + 1]}`)
      upstream.write(`${head.join("\r\n")}\r\n\r\n`)
      upstream.pipe(client).pipe(upstream)
    })
    for (const socket of [upstream, client]) socket.on("error", () => socket.destroy())
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}
