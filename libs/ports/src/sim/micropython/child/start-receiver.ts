import { Worker } from "node:worker_threads"
import type { UartMemory } from "./ring.ts"

/** Starts the other thread of a board's process. It ends the process when our side of its pipe is gone. */
export function startReceiver(workerData: UartMemory): Worker {
  if (!import.meta.url.endsWith(".ts"))
    return new Worker(new URL("./receiver.js", import.meta.url), { workerData })
  // Sources: the loader that runs the tests takes no part in threads by itself.
  const url = JSON.stringify(new URL("./receiver.ts", import.meta.url))
  const source = `import("tsx/esm/api").then(({ register }) => (register(), import(${url})))`
  return new Worker(source, { eval: true, workerData })
}
