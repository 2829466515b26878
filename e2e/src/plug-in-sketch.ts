import { access, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { eventually } from "@serialcast/testkit"
import type { Workplace, WorkplaceProgram } from "./tunnels/workplace.ts"

const arduino = fileURLToPath(new URL("arduino.h", import.meta.url))

/** Compiles an Arduino sketch for this machine, and answers the program's path. */
export async function compileSketch(place: Workplace, sketch: string): Promise<string> {
  const source = join(place.folder, "sketch.cpp")
  await writeFile(source, sketch)
  const program = join(place.folder, "sketch")
  await place.sh(`g++ -include '${arduino}' -o '${program}' '${source}'`)
  return program
}

/** Plugs in a board that runs a compiled sketch; its port is the link `path`. Stopped, the board is silent. */
export async function plugInSketch(
  place: Workplace,
  program: string,
  path: string,
): Promise<WorkplaceProgram> {
  const socat = place.start(`socat pty,link=${path},rawer EXEC:${program}`)
  await eventually(() => access(path))
  return socat
}
