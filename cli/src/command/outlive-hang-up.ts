import type { CommandContext } from "./context.ts"

/**
 * For what runs until it is stopped: aborted with the context's signal, or when its terminal is gone. A SIGHUP beside that, as
 * service managers send it for a reload, ends nothing: `tell` gets a sentence.
 */
export function outliveHangUp(
  { signal, onHangUp }: Pick<CommandContext, "signal" | "onHangUp">,
  tell: (sentence: string) => void,
): AbortSignal {
  const leaving = new AbortController()
  onHangUp((isTerminalGone) => {
    if (isTerminalGone) leaving.abort()
    else tell("SIGHUP changes nothing: the configuration is read at the start; restart to read it anew.")
  })
  return AbortSignal.any([signal, leaving.signal])
}
