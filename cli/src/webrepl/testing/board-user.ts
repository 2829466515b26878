import { connectWebrepl, eventually, type WebreplClient, type WebreplClientKind } from "@serialcast/testkit"
import { expect, onTestFinished } from "vitest"
import type { TestAll } from "../../testing/start-test-all.ts"

/** Somebody at the WebREPL of a board, logged in, who looks at what comes after a moment of their choice. For tests. */
export class BoardUser {
  readonly client: WebreplClient
  #from = 0

  constructor(client: WebreplClient) {
    this.client = client
  }

  /** What came since `forget`. */
  get seen(): string {
    return this.client.text.slice(this.#from)
  }

  forget(): void {
    this.#from = this.client.text.length
  }

  /** Types, from a moment on at which nothing was seen, until what is seen matches. */
  async type(keys: string, until: RegExp): Promise<void> {
    this.forget()
    this.client.sendText(keys)
    await this.sees(until)
  }

  async sees(pattern: RegExp): Promise<void> {
    await eventually(() => {
      if (!pattern.test(this.seen))
        throw new Error(`expected ${pattern}, found ${JSON.stringify(this.seen.slice(-500))}`)
    })
  }
}

export interface LoginOptions {
  readonly kind?: WebreplClientKind
  /** Also while somebody else has the board. */
  readonly watches?: boolean
}

/** Logs in at the WebREPL of a board, when it is free; gone when the test is over. */
export async function logInAt(
  { all }: TestAll,
  device: string,
  { kind = "commandLine", watches = false }: LoginOptions = {},
): Promise<BoardUser> {
  const listener = () => {
    const found = all.served().boards.find((board) => board.device === device)
    if (found === undefined) throw new Error(`there is no WebREPL of ${device}`)
    return found
  }
  if (!watches) await eventually(() => expect(listener().clients).toEqual([]))
  const client = await connectWebrepl(listener().endpoint, kind)
  onTestFinished(() => void client.socket.destroy())
  await client.untilText("Password: ")
  client.sendBinary("a long secret\r")
  await client.untilText("WebREPL connected\r\n>>> ")
  const user = new BoardUser(client)
  user.forget()
  return user
}
