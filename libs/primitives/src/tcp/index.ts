/** What only Node has: apart from the rest of this package, which browsers run too. */

export { createPeerWatch, keepAliveDelayMs, type PeerWatch, type PeerWatchOptions } from "./peer-watch.ts"
export { endsOf, type TcpEnds } from "./tcp-table.ts"
export { untilAcknowledged } from "./until-acknowledged.ts"
