import type { RunningService } from "@serialcast/service-kit"

/** The service with a `stop` that may be called again: every call waits for the same end. */
export function stoppedOnce<S extends RunningService>(service: S): S {
  let stopped: Promise<void> | undefined
  return {
    ...service,
    stop() {
      stopped ??= service.stop()
      return stopped
    },
  }
}
