import { execFile } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"

const source = join(import.meta.dirname, "../../load/main.cpp")

/** Compiles the load program into `folder` and answers its path. Throws when there is no compiler. */
export async function buildLoad(folder: string): Promise<string> {
  const program = join(folder, "load")
  const options = ["-std=c++20", "-O2", "-Wall", "-Wextra", "-Werror"]
  try {
    await promisify(execFile)("c++", [...options, "-o", program, source])
  } catch (cause) {
    throw new Error(
      "bench/load cannot be compiled: a C++20 compiler named c++ is needed (apt-get install g++).",
      {
        cause,
      },
    )
  }
  return program
}
