import type { Clock } from "@serialcast/primitives"
import { readSocket } from "@serialcast/service-kit"
import type { ConnectedClient } from "../clients/connected-client.ts"
import { keepPagesOut } from "./keep-pages-out.ts"

/** What a client sends, as `readSocket`; one that is a web browser is reset before anything of it is answered. */
export function readClient(
  client: ConnectedClient,
  { allowHttp }: { readonly allowHttp: boolean },
  clock: Clock,
): AsyncGenerator<Uint8Array, void> {
  const segments = readSocket(client.socket, client.signal)
  if (allowHttp) return segments
  const onPage = (bytes: number) => {
    client.record.countRefused(bytes)
    client.refuse("it is a web browser, and `allowHttp` is not set")
  }
  return keepPagesOut(segments, { clock, onPage })
}
