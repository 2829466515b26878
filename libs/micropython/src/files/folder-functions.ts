import { AppError } from "@serialcast/contract"
import type { Session } from "../board/session.ts"
import type { FileEntry, FileStat } from "./board-files.ts"
import { oddAnswer } from "./odd-answer.ts"
import { pathLiteral } from "./path-name.ts"
import { runFunction } from "./run-function.ts"
import { isPart, partTest } from "./temporary-names.ts"

/** A folder of 20,000 files. */
const maxListBytes = 1_048_576
const silenceMs = 20_000
const longMs = 600_000
const times = { timeoutMs: longMs, silenceMs }

export async function statFile(session: Session, path: string): Promise<FileStat> {
  const body = "s=os.stat(p)\nprint(s[0],s[6])"
  const text = await runFunction(
    session,
    { imports: "import os", body, given: { p: pathLiteral(path) } },
    { what: path },
  )
  const [, mode, size] = /^(\d+) (\d{1,15})$/.exec(text.trim()) ?? []
  if (mode === undefined || size === undefined) throw oddAnswer(path, text)
  return statOf(Number(mode), Number(size))
}

function statOf(mode: number, size: number): FileStat {
  const isDirectory = (mode & 0x4000) !== 0
  return { kind: isDirectory ? "directory" : "file", size: isDirectory ? 0 : size }
}

export async function currentFolder(session: Session): Promise<string> {
  const body = "print(''.join('%02x'%b for b in os.getcwd().encode()))"
  const text = await runFunction(
    session,
    { imports: "import os", body, given: {} },
    { what: "name of the current folder" },
  )
  if (!/^([0-9a-f]{2})*$/.test(text.trim())) throw oddAnswer("name of the current folder", text)
  return Buffer.from(text.trim(), "hex").toString()
}

/** Names come in hex, because they are any bytes. Where `ilistdir` tells no size, or -1, the file is asked. */
const listBody = `
q=p if p[-1:]=='/' else p+'/'
if not os.stat(p)[0]&0x4000:raise OSError(20)
for e in os.ilistdir(p):
 n=e[0]
 if isinstance(n,str):n=n.encode()
 z=0 if e[1]&0x4000 else e[3] if len(e)>3 and e[3]>=0 else os.stat(q+e[0])[6]
 print(e[1],z,''.join('%02x'%b for b in n))
`

/** Without what puts that were cut have left, unless `isAll`. */
export async function listFolder(
  session: Session,
  path: string,
  isAll: boolean,
): Promise<readonly FileEntry[]> {
  const code = { imports: "import os", body: listBody, given: { p: pathLiteral(path) } }
  const text = await runFunction(session, code, {
    ...times,
    what: `list of ${path}`,
    maxOutputBytes: maxListBytes,
  })
  const lines = text.split(/\r?\n/).filter((line) => line !== "")
  const entries = lines.map((line) => parseEntry(line, path))
  const listed = isAll ? entries : entries.filter(({ name }) => !isPart.test(name))
  return listed.sort((a, b) => (a.name < b.name ? -1 : 1))
}

function parseEntry(line: string, path: string): FileEntry {
  const [, mode, size, hex] = /^(\d+) (\d{1,15}) ((?:[0-9a-f]{2})+)$/.exec(line) ?? []
  if (mode === undefined || size === undefined || hex === undefined) throw oddAnswer(`list of ${path}`, line)
  return { name: Buffer.from(hex, "hex").toString(), ...statOf(Number(mode), Number(size)) }
}

/**
 * What a put that was cut has left is nothing that keeps a folder from being removed. A point for each is a sign of life: of
 * many, on a slow flash.
 */
const removeBody = `
def x(p):
 if os.stat(p)[0]&0x4000:
  if a:
   for e in os.ilistdir(p):
    n=e[0]
    if n not in('.','..'):x(p+'/'+n)
  else:
   l=[]
   for e in os.ilistdir(p):
    n=e[0]
    if n in('.','..'):continue
    if not(${partTest}):raise OSError(39)
    l.append(n)
   for n in l:os.remove(p+'/'+n)
  os.rmdir(p)
 else:os.remove(p)
 print(end='.')
x(p)
`

export async function removeFile(session: Session, path: string, isRecursive: boolean): Promise<void> {
  // Of `lib/..` all would be removed that `lib` is beside.
  if (/(^|\/)\.{0,2}\/*$/.test(path.replace(/\/+$/, "")))
    throw new AppError(
      "bad_request",
      "The root, and what ends in `.` or `..`, is not removed: name the folder.",
    )
  const bare = path.replace(/(?<=[^/])\/+$/, "")
  const given = { p: pathLiteral(bare), a: isRecursive ? 1 : 0 }
  await runFunction(
    session,
    { imports: "import os", body: removeBody, given },
    { ...times, what: `remove ${path}` },
  )
}

const renameBody = `
s=os.stat(a)[0]&0x4000
try:t=os.stat(b)[0]&0x4000
except OSError:t=None
if t is not None:
 if not o or s or t:raise OSError(17)
try:os.rename(a,b)
except OSError:
 if t is None:raise
 os.remove(b)
 os.rename(a,b)
`

export async function renameFile(
  session: Session,
  from: string,
  { to, overwrite }: { readonly to: string; readonly overwrite: boolean },
): Promise<void> {
  const given = { a: pathLiteral(from), b: pathLiteral(to), o: overwrite ? 1 : 0 }
  await runFunction(
    session,
    { imports: "import os", body: renameBody, given },
    { what: `rename ${from} to ${to}` },
  )
}

/** With parents: each folder of the path from the first on. */
const mkdirBody = `
if not a:
 os.mkdir(p)
 return
i=0
while i>=0:
 i=p.find('/',i+1)
 q=p if i<0 else p[:i]
 try:
  if not os.stat(q)[0]&0x4000:raise OSError(17)
  continue
 except OSError as e:
  if e.args[0]!=2:raise
 os.mkdir(q)
`

export async function makeFolder(session: Session, path: string, hasParents: boolean): Promise<void> {
  const bare = path.replace(/(?<=[^/])\/+$/, "")
  const given = { p: pathLiteral(bare), a: hasParents ? 1 : 0 }
  await runFunction(session, { imports: "import os", body: mkdirBody, given }, { what: `mkdir ${path}` })
}
