const signs =
  /MicroPython|CircuitPython|KeyboardInterrupt|Traceback \(most rec|raw REPL; CTRL-B|soft reboot|^>>> /m

/** What is read at a time is shorter; a sign that two reads cut is found in what is kept. */
const keptCharacters = 4_096

/** The end of what a device said, one character for each byte, and whether any of it was MicroPython's. */
export class HeardText {
  #text = ""
  #isBoard: boolean

  /** `isBoard`: it was known before. */
  constructor(isBoard: boolean) {
    this.#isBoard = isBoard
  }

  get isBoard(): boolean {
    return this.#isBoard
  }

  get text(): string {
    return this.#text
  }

  add(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.byteLength; at += keptCharacters) {
      this.#text += String.fromCharCode(...bytes.subarray(at, at + keptCharacters))
      this.#isBoard ||= signs.test(this.#text)
      this.#text = this.#text.slice(-keptCharacters)
    }
  }

  /** What was said so far is no answer to what is asked next. */
  forget(): void {
    this.#text = ""
  }
}
