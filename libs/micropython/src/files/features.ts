import { runOwn } from "../board/run-program.ts"
import type { Session } from "../board/session.ts"
import type { FileHash } from "./board-files.ts"

/** What a board has of what files can be carried by. */
export interface BoardFeatures {
  readonly hash: FileHash["algorithm"]
  /** `sys.stdin.buffer` and `sys.stdout.buffer`: bytes as they are. */
  readonly hasBinaryInput: boolean
  readonly hasBinaryOutput: boolean
  /** `binascii` can decode, and encode, base64. */
  readonly hasBase64: boolean
}

const question = `
import sys
def _sc(m,*n):
 for m in m,'u'+m:
  try:
   m=__import__(m)
   return all(hasattr(m,x) for x in n)
  except ImportError:pass
print(*(int(bool(x)) for x in(_sc('hashlib','sha256'),_sc('binascii','crc32'),_sc('binascii','a2b_base64','b2a_base64'),hasattr(sys.stdin,'buffer'),hasattr(sys.stdout,'buffer'))))
del _sc
`

export async function askFeatures(session: Session): Promise<BoardFeatures> {
  const text = await runOwn(session, question, { what: "The board did not tell what it has" })
  const [hasSha256, hasCrc32, hasBase64, hasBinaryInput, hasBinaryOutput] = text
    .trim()
    .split(" ")
    .map((word) => word === "1")
  return {
    hash: hasSha256 ? "sha256" : hasCrc32 ? "crc32" : "sum24",
    hasBase64: hasBase64 ?? false,
    hasBinaryInput: hasBinaryInput ?? false,
    hasBinaryOutput: hasBinaryOutput ?? false,
  }
}
