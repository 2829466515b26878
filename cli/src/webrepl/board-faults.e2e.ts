import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { AppError } from "@serialcast/contract"
import { delay, systemClock, withDeadline } from "@serialcast/primitives"
import {
  connectWebrepl,
  eventually,
  putByWebrepl,
  type SeededRandom,
  seededRandom,
  type WebreplClient,
} from "@serialcast/testkit"
import { expect, test } from "vitest"
import { spawnCli } from "../testing/spawn-cli.ts"
import { type BoardProcesses, startBoardProcesses } from "./testing/board-processes.ts"

// More of them: BOARD_FAULTS=2000, and FAULT_SEED to repeat one.
const points = Number(process.env["BOARD_FAULTS"] ?? 200)
const seed = process.env["FAULT_SEED"]
/** Boards with services of their own at the same time: most of a point is waiting. */
const lanes = 3
const name = "main.py"
/** The command line starts before it puts. */
const startMs = 500
/** No transfer goes on for so long without an end, whatever happens. */
const endMs = 60_000

/** A put on its way. */
interface Put {
  /** Rejects when it did not succeed, or is not known to have. */
  readonly done: Promise<void>
  /** Its client ends without a word. */
  kill(): void
}

type StartPut = (processes: BoardProcesses, bytes: Uint8Array) => Promise<Put>

const say = (text: string) => process.stderr.write(`${text}\n`)

/** Of a client that was served before, the place is free a moment after its end. */
async function logIn({ webreplAt }: BoardProcesses): Promise<WebreplClient> {
  return await eventually(async () => {
    const client = await connectWebrepl(webreplAt)
    try {
      client.sendBinary("a long secret\r")
      await client.untilText("WebREPL connected\r\n>>> ")
      return client
    } catch (error) {
      client.socket.destroy()
      throw error
    }
  })
}

const putters: Readonly<Record<string, StartPut>> = {
  async webrepl(processes, bytes) {
    const client = await logIn(processes)
    const kill = () => void client.socket.destroy()
    return { done: putByWebrepl(client, name, bytes).finally(kill), kill }
  },
  async http({ httpUrl }, bytes) {
    const leaving = new AbortController()
    const request = fetch(`${httpUrl}/files/${name}`, { method: "PUT", body: bytes, signal: leaving.signal })
    const done = request.then(async (response) => {
      const text = await response.text()
      if (response.status !== 200) throw new Error(`HTTP ${response.status}: ${text}`)
    })
    return { done, kill: () => leaving.abort() }
  },
  async cli({ mqttUrl, folder }, bytes) {
    await writeFile(join(folder, name), bytes)
    const { child, exited, stderr } = spawnCli(["put", "--broker", mqttUrl, "board", name], {}, folder)
    child.stdin.end()
    const done = exited.then((code) => {
      if (code !== 0) throw new Error(`serialcast put ended with ${code}: ${stderr.text}`)
    })
    return { done, kill: () => void child.kill("SIGKILL") }
  },
}

type Fault = (processes: BoardProcesses, put: Put, random: SeededRandom) => Promise<void>

const pause = (random: SeededRandom, maxMs: number) => delay(systemClock, Math.floor(random.next() * maxMs))

/** How often the board's port was opened. */
async function openings({ httpUrl }: BoardProcesses): Promise<number> {
  const { open } = (await (await fetch(httpUrl)).json()) as { open: number }
  return open
}

/** The cable is out for a while; what was told of the board before counts no more. */
async function replug(processes: BoardProcesses, meanwhile: () => Promise<void>): Promise<void> {
  const before = await openings(processes)
  processes.board.unplug()
  await meanwhile()
  processes.board.plug()
  await eventually(async () => expect(await openings(processes)).toBeGreaterThan(before))
}

const faults: Readonly<Record<string, Fault>> = {
  async "the client is killed"(_, put) {
    put.kill()
  },
  async "the board is unplugged"(processes, _, random) {
    await replug(processes, () => pause(random, 200))
  },
  async "the board loses its power"(processes) {
    await replug(processes, () => processes.board.losePower())
  },
  async "the lease is stolen"({ httpUrl }) {
    const taken = await fetch(`${httpUrl}/lease`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ steal: true }),
    })
    const { token } = (await taken.json()) as { token?: string }
    if (token !== undefined) await fetch(`${httpUrl}/lease`, { method: "DELETE", headers: { lease: token } })
  },
  async "the broker is killed"({ broker }, _, random) {
    await broker.kill()
    await pause(random, 300)
    broker.start()
  },
  async "the webrepl service is killed"({ webrepl }) {
    await webrepl.kill()
    webrepl.start()
  },
}

/** How often each of them in a hundred: a process that starts, and a lease that expires, take seconds. */
const mix = {
  faults: {
    "the client is killed": 45,
    "the board is unplugged": 21,
    "the lease is stolen": 22,
    "the board loses its power": 5,
    "the broker is killed": 5,
    "the webrepl service is killed": 2,
  },
  putters: { webrepl: 79, http: 18, cli: 3 },
}

function pick<K extends string>(random: SeededRandom, weights: Readonly<Record<K, number>>): K {
  let left = random.next() * 100
  const names = Object.keys(weights) as K[]
  return names.find((key) => (left -= weights[key]) < 0) ?? names[0]!
}

/** The device is there, and nobody holds it. */
async function untilFree({ httpUrl }: BoardProcesses): Promise<void> {
  await eventually(async () => {
    const device = (await (await fetch(httpUrl)).json()) as unknown
    expect(device).toMatchObject({ online: true, lease: null })
  })
}

const inTime = <T>(work: Promise<T>, what: string) =>
  withDeadline(work, {
    clock: systemClock,
    timeoutMs: endMs,
    error: () => new AppError("internal", `${what} did not end within ${endMs} ms`),
  })

const anyFile = (random: SeededRandom) => random.bytes(1 + Math.floor(random.next() * 3_000))
const same = (one: Uint8Array | null, other: Uint8Array) => one !== null && Buffer.compare(one, other) === 0

/** How it stands between two points. */
interface Standing {
  /** The file on the board. */
  readonly old: Uint8Array
  /** What a put took last. */
  readonly putMs: number
}

/** One fault at some time of one put, and the put after it; answers what became of the first, and how it stands then. */
async function endure(
  processes: BoardProcesses,
  random: SeededRandom,
  { old, putMs }: Standing,
): Promise<Standing & { readonly outcome: string }> {
  const { board } = processes
  const [how, fault] = [pick(random, mix.putters), pick(random, mix.faults)]
  const what = `${how}, ${fault}`
  const attempted = anyFile(random)
  const put = await inTime(putters[how]!(processes, attempted), `${what}: the beginning`)
  const ended = put.done.then(
    () => null,
    (error: unknown) => String(error),
  )
  await pause(random, 1.3 * putMs + (how === "cli" ? startMs : 0))
  await faults[fault]!(processes, put, random)
  const failure = await inTime(ended, `${what}: the put`)
  await untilFree(processes)
  const found = board.file(name)
  const isNew = same(found, attempted)
  if (failure === null) expect(isNew, `${what}: a put that succeeded is there`).toBe(true)
  expect(isNew || same(found, old), `${what}: the old file or the new one, whole; ${failure}`).toBe(true)
  const again = () => putAgain(processes, random, what)
  // Each service finds the new broker when it looks for it, and says so until then.
  const next = await (fault === "the broker is killed" ? eventually(again) : again())
  return { ...next, outcome: `${fault}: ${isNew ? "new" : "old"}` }
}

/** The put after a fault works, leaves nothing else on the board, and the board at its prompt. */
async function putAgain(processes: BoardProcesses, random: SeededRandom, what: string): Promise<Standing> {
  const { board } = processes
  const bytes = anyFile(random)
  const { done } = await inTime(
    putters[random.next() < 0.7 ? "webrepl" : "http"]!(processes, bytes),
    `${what}: the beginning of the next put`,
  )
  const begunMs = performance.now()
  await inTime(done, `${what}: the next put`)
  const putMs = performance.now() - begunMs
  await untilFree(processes)
  expect(same(board.file(name), bytes), `${what}: the next put is there`).toBe(true)
  expect(board.names(), `${what}: nothing else is left`).toEqual([name])
  await eventually(() => expect(board.lastWords(), what).toMatch(/\r\n>>> $/))
  return { old: bytes, putMs }
}

/** All points, one after the other; answers how often each came to what. */
async function endureAll(
  processes: BoardProcesses,
  random: SeededRandom,
): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>()
  await untilFree(processes)
  let standing = await putAgain(processes, random, "before all faults")
  for (let point = 0; point < points / lanes; point++) {
    try {
      const { outcome, ...next } = await endure(processes, random, standing)
      standing = next
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
    } catch (cause) {
      throw new Error(`seed ${random.seed}, point ${point}: ${String(cause)}`, { cause })
    }
  }
  return counts
}

test("whatever happens during a put, the file is the old one or the new one, and the next put works", {
  timeout: 60_000 + points * 10_000,
}, async () => {
  const random = seededRandom(seed === undefined ? undefined : Number(seed))
  say(`seed ${random.seed}, ${points} points`)
  const ends = await Promise.allSettled(
    Array.from({ length: lanes }, async (_, lane) => {
      await using processes = await startBoardProcesses()
      const counts = await Promise.race([
        endureAll(processes, seededRandom(random.seed + lane)),
        processes.failed,
      ])
      say(
        [...counts]
          .map(([what, count]) => `${what} ${count}`)
          .toSorted()
          .join("\n"),
      )
    }),
  )
  for (const end of ends) if (end.status === "rejected") throw end.reason
})
