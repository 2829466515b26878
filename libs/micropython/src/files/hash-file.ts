import type { Session } from "../board/session.ts"
import type { FileHash } from "./board-files.ts"
import { hashCodes } from "./hash-code.ts"
import { oddAnswer } from "./odd-answer.ts"
import { pathLiteral } from "./path-name.ts"
import { runFunction } from "./run-function.ts"

/** Reading 4 KiB of flash and hashing them takes the slowest board a second. */
const silenceMs = 20_000
/** A megabyte at the pace of such a board, several times over. */
const longestMs = 3_600_000

const hexLengths: Readonly<Record<FileHash["algorithm"], number>> = { sha256: 64, crc32: 8, sum24: 6 }

/** Hashes a file on the board, which reads it; `what` is for the error. */
export async function hashFile(
  session: Session,
  path: string,
  {
    algorithm,
    signal,
  }: { readonly algorithm: FileHash["algorithm"]; readonly signal?: AbortSignal | undefined },
): Promise<FileHash> {
  const { imports, begin, step, hex } = hashCodes[algorithm]
  // A point for each 4 KiB is a sign of life.
  const body = `
if os.stat(p)[0]&0x4000:raise OSError(21)
${begin}
i=0
with open(p,'rb') as f:
 while 1:
  d=f.read(512)
  if not d:break
  ${step}
  i+=1
  if i%8==0:print(end='.')
print(' '+${hex})
`
  const text = await runFunction(
    session,
    { imports: `import os\n${imports}`.trim(), body, given: { p: pathLiteral(path) } },
    { what: `hash of ${path}`, timeoutMs: longestMs, silenceMs, ...(signal === undefined ? {} : { signal }) },
  )
  const [, hash] = /^\.* ([0-9a-f]+)$/.exec(text.trimEnd()) ?? []
  if (hash?.length !== hexLengths[algorithm]) throw oddAnswer(`hash of ${path}`, text)
  return { algorithm, hex: hash }
}
