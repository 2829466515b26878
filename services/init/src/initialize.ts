import { AppError } from "@serialcast/contract"
import { type Config, createTokenFile } from "@serialcast/service-kit"
import { welcomeText } from "./welcome-text.ts"

export interface InitDeps {
  readonly print: (text: string) => void
}

/** Creates the access token if there is none yet, and tells how to use it. Throws `bad_config`. */
export function initialize({ access, console, http, broker }: Config, { print }: InitDeps): void {
  if (access.tokenFile === null) {
    throw new AppError(
      "bad_config",
      "access.tokenFile: expected the file in which to keep the access token (SERIALCAST_ACCESS_TOKEN_FILE), found nothing",
    )
  }
  const { token } = createTokenFile(access.tokenFile)
  const ports = { console: console.listen.port, http: http.listen.port, broker: broker.listen.port }
  print(welcomeText({ token, ports, root: broker.root }))
}
