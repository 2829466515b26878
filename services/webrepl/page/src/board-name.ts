export interface OwnBoard {
  /** Of the WebSocket, as it is offered when the page is opened. */
  readonly address: string
  /** `<gateway>/<device>`; null when it is not known. */
  readonly device: string | null
}

/** Who is at an address, for people: the device when it is the board that the page is of, else host, port and path. */
export function boardNameOf(address: string, own: OwnBoard): string {
  const place = placeOf(address)
  return own.device !== null && place === placeOf(own.address) ? own.device : place
}

/** Empty when it is no address. */
function placeOf(address: string): string {
  try {
    const { host, pathname } = new URL(address)
    return `${host}${pathname}`.replace(/\/$/, "")
  } catch {
    // The user has not finished it.
    return ""
  }
}

/** Asks who served the page for its device. null: it was not this service, or cannot be reached any more. */
export async function askForDevice(): Promise<string | null> {
  try {
    const response = await fetch("./device.json")
    const told: unknown = response.ok ? await response.json() : null
    return parseDevice(told)
  } catch {
    // Then the name is the address.
    return null
  }
}

export function parseDevice(told: unknown): string | null {
  if (typeof told !== "object" || told === null || !("device" in told)) return null
  return typeof told.device === "string" && told.device !== "" ? told.device : null
}
