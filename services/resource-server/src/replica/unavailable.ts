import { StoreUnavailable } from "@serialcast/resources"

export function brokerAway(): StoreUnavailable {
  return new StoreUnavailable("The broker is not there. Try again.")
}

export function notKnown(cause?: unknown): StoreUnavailable {
  const message = "The broker went away meanwhile. Whether it was done shows when it is back."
  return new StoreUnavailable(message, { cause })
}
