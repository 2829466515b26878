const prompt = "Password: "
/** A part of what comes behind the right password. */
const welcome = "WebREPL connected"

/** Follows what a server says until it has let somebody in. From then on it is the board that speaks, which may say the same. */
export class LogIn {
  #heard = ""
  #stage: "silent" | "asked" | "over" = "silent"
  #wasHeard = false

  /** The server has said something. */
  get wasHeard(): boolean {
    return this.#wasHeard
  }

  /** `asked`: for the password, now. `welcomed`: the log-in is done, now. */
  hear(text: string): "asked" | "welcomed" | null {
    this.#wasHeard ||= text !== ""
    if (this.#stage === "over") return null
    this.#heard += text
    return this.#stage === "silent" ? this.#lookForPrompt() : this.#lookForWelcome()
  }

  #lookForPrompt(): "asked" | null {
    if (this.#heard.startsWith(prompt)) {
      this.#stage = "asked"
      return "asked"
    }
    // What begins otherwise asks for nothing.
    if (!prompt.startsWith(this.#heard)) this.#stage = "over"
    return null
  }

  #lookForWelcome(): "welcomed" | null {
    if (!this.#heard.includes(welcome)) {
      this.#heard = this.#heard.slice(-welcome.length)
      return null
    }
    this.#stage = "over"
    return "welcomed"
  }
}
