import type { PtyDevice } from "@serialcast/testkit"

/**
 * A program as it runs on an Arduino: it reads lines and calls `loop` for each, which prints by what it is given. Over when the
 * device is unplugged.
 */
export async function playBoard(
  pty: Pick<PtyDevice, "read" | "write">,
  loop: (line: string, print: (text: string) => Promise<void>) => Promise<void> | void,
): Promise<void> {
  const print = (text: string) => pty.write(new TextEncoder().encode(text))
  let line = ""
  for (;;) {
    const read = await pty.read(1).catch(() => null)
    if (read === null) return
    const char = String.fromCharCode(read[0] ?? 0)
    if (char !== "\n") line += char
    else {
      await loop(line, print)
      line = ""
    }
  }
}
