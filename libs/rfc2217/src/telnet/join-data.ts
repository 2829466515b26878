import { concatBytes } from "@serialcast/primitives"

interface DataEvent {
  readonly kind: "data"
  readonly bytes: Uint8Array
}

/**
 * Events with data that follows data as one event: commands that mean nothing stood between, and whoever sends them between
 * all of its bytes must not make a write of each.
 */
export function joinData<Event extends { readonly kind: string }>(
  events: readonly (Event | DataEvent)[],
): (Event | DataEvent)[] {
  const joined: (Event | DataEvent)[] = []
  let run: Uint8Array[] = []
  const endRun = () => {
    const [first] = run
    if (first !== undefined) joined.push({ kind: "data", bytes: run.length === 1 ? first : concatBytes(run) })
    run = []
  }
  for (const event of events) {
    if (isData(event)) run.push(event.bytes)
    else {
      endRun()
      joined.push(event)
    }
  }
  endRun()
  return joined
}

function isData(event: { readonly kind: string }): event is DataEvent {
  return event.kind === "data"
}
