import { decodeHex, encodeHex } from "@serialcast/primitives"
import { atMs } from "@serialcast/testkit"
import { describe, expect, test } from "vitest"
import { CableEnd, type CableEndOptions } from "./cable-end.ts"
import type { CableAction, CableInput } from "./cable-events.ts"
import type { Role } from "./codes.ts"

const bytesOf = (hex: string) => decodeHex(hex.replaceAll(" ", ""))!
const hexOf = (bytes: Uint8Array) => encodeHex(bytes).toLowerCase()

/** An end that is told things one after the other, and what came of it. */
class Driven {
  readonly end: CableEnd
  nowMs = 0
  #actions: CableAction[] = []

  constructor(options: CableEndOptions) {
    this.end = new CableEnd(options)
    this.tell({ kind: "started" })
  }

  tell(input: CableInput): this {
    this.#actions.push(...this.end.handle(input, atMs(this.nowMs)))
    return this
  }

  far(hex: string): this {
    return this.tell({ kind: "received", bytes: bytesOf(hex) })
  }

  /** Moves time on, deadline by deadline. */
  pass(ms: number): this {
    const untilMs = this.nowMs + ms
    for (;;) {
      const { deadlineMs } = this.end
      if (deadlineMs === null || deadlineMs > untilMs) break
      this.nowMs = Math.max(this.nowMs, deadlineMs)
      this.tell({ kind: "timePassed" })
    }
    this.nowMs = untilMs
    return this
  }

  /** Since the last time, like `1f43`, `deliver 6869`, `accept`, `closed ended`. */
  take(): string[] {
    const words = this.#actions.map((action) => {
      switch (action.kind) {
        case "write":
          return hexOf(action.bytes)
        case "deliver":
          return `deliver ${hexOf(action.bytes)}`
        case "report":
          return action.report.kind === "closed" ? `closed ${action.report.reason}` : action.report.kind
        default:
          return action.kind
      }
    })
    this.#actions = []
    return words
  }
}

const preamble = { server: "1f441f441fe0", client: "1f441f441fc1" } as const

function synchronised(role: Role, options: Partial<CableEndOptions> = {}): Driven {
  const driven = new Driven({ role, ...options })
  driven.far(role === "server" ? "1f441f441fc1 1fc2 1fc3" : "1f441f441fe0 1fe1 1fe2 1fe3")
  expect(driven.take().at(-1)).toBe("synchronised")
  expect(driven.end.phase).toBe("idle")
  return driven
}

function opened(role: Role, options: Partial<CableEndOptions> = {}): Driven {
  const driven = synchronised(role, options)
  if (role === "server") driven.tell({ kind: "clientsWaited", count: 1 }).far("1f631f73")
  else driven.far("1f43").tell({ kind: "dialed" }).far("1f73")
  driven.take()
  expect(driven.end.takesTcp).toBe(true)
  return driven
}

const text = (hex: string): CableInput => ({ kind: "tcpReceived", bytes: bytesOf(hex) })

describe("the end of this TCP side", () => {
  test.each(["server", "client"] as const)("of a %s is told when the line was drained and silent", (role) => {
    const driven = opened(role, { graceMs: 0, silenceMs: 50 }).tell(text("6869")).tell({ kind: "tcpEnded" })
    expect(driven.take()).toEqual(["6869", "drain"])
    expect([driven.end.takesTcp, driven.pass(60_000).take()]).toEqual([false, []])
    expect(driven.tell({ kind: "drained" }).pass(49).take()).toEqual([])
    expect(driven.pass(1).take()).toEqual(["1f44", "end", "closed ended", preamble[role]])
  })

  test("waits for what the far end still answers, counted from when it has everything", () => {
    const driven = opened("client").tell({ kind: "tcpEnded" }).pass(5_000).tell({ kind: "drained" })
    expect(driven.pass(900).far("6869").pass(999).take()).toEqual(["drain", "deliver 6869"])
    expect(driven.far("1f1f").pass(999).take()).toEqual(["deliver 1f"])
    expect(driven.pass(1).take()[0]).toBe("1f44")
  })

  test("is told without waiting for answers when it is gone", () => {
    const driven = opened("server").tell({ kind: "tcpBroken" }).tell({ kind: "drained" })
    expect(driven.far("6869").pass(50).take()).toEqual(["drain", "reset", "closed broken", preamble.server])
  })

  test("that goes after its end is told at once", () => {
    const driven = opened("server").tell({ kind: "tcpEnded" }).tell({ kind: "drained" }).pass(60)
    driven.tell({ kind: "tcpBroken" }).pass(0)
    expect(driven.take()).toEqual(["drain", "reset", "closed broken", preamble.server])
  })

  test("is no matter any more when the far end is faster", () => {
    const driven = opened("server").tell({ kind: "tcpEnded" }).far("6f6b1f44")
    expect(driven.take()).toEqual(["drain", "deliver 6f6b", "discard"])
    expect(driven.tell({ kind: "drained" }).pass(499).take()).toEqual([])
  })
})

describe("bytes", () => {
  test.each(["server", "client"] as const)(
    "that come to a %s before the far end's start are nobody's",
    (role) => {
      const driven = synchronised(role).far("6f6c64")
      if (role === "server")
        driven.tell({ kind: "clientsWaited", count: 1 }).far("6f6c64 1f63 6f6c64 1f73 6e6577")
      else driven.far("1f43 6f6c64").tell({ kind: "dialed" }).far("6f6c64 1f73 6e6577")
      expect(driven.take().filter((word) => word.startsWith("deliver"))).toEqual(["deliver 6e6577"])
    },
  )

  test("after the far end's disconnect are discarded until the next connection's start", () => {
    const driven = opened("server").far(
      "6f6e651f4474776f1f7374687265651f441f441fc1666f7572 1fc2 1fc3 66697665",
    )
    expect(driven.take().filter((word) => word.startsWith("deliver"))).toEqual(["deliver 6f6e65"])
  })

  test("of a TCP side are taken only while its connection is open", () => {
    const driven = synchronised("server").tell({ kind: "clientsWaited", count: 1 })
    expect(driven.take()).toEqual(["accept", "1f43"])
    expect(driven.end.takesTcp).toBe(false)
    driven.tell(text("6869"))
    expect(driven.take()).toEqual([])
  })
})

describe("a connection that is not made", () => {
  test("a refusal, or a far end that was restarted, resets the TCP client", () => {
    for (const [code, reason] of [
      ["1f46", "refused"],
      ["1f44", "farEnded"],
    ]) {
      const driven = synchronised("server").tell({ kind: "clientsWaited", count: 1 }).far(code!)
      expect(driven.take()).toContain(`closed ${reason}`)
      expect([driven.end.phase, driven.end.takesTcp]).toEqual(["syncing", false])
    }
  })

  test("no answer in time resets the TCP client; the late answer means nothing", () => {
    const driven = synchronised("server").tell({ kind: "clientsWaited", count: 1 }).pass(9_999)
    expect(driven.take()).toEqual(["accept", "1f43"])
    expect(driven.pass(1).take()).toEqual(["reset", "closed unanswered", preamble.server])
    expect(driven.far("1f631f736869").far("1f46").take()).toEqual([])
  })

  test("a target that does not answer in time is told as one that refused; its late connection is not used", () => {
    const driven = synchronised("client", { connectTimeoutMs: 3_000 }).far("1f43").pass(3_000)
    expect(driven.take()).toEqual(["dial", "1f46", "reset", "closed unanswered", preamble.client])
    expect(driven.tell({ kind: "dialed" }).take()).toEqual([])
  })

  test("dialling ends when the far end does not want it any more", () => {
    expect(synchronised("client").far("1f431f44").take()).toEqual([
      "dial",
      "discard",
      "reset",
      "closed farEnded",
      preamble.client,
    ])
  })

  test("a TCP client that goes while the far end dials ends the call", () => {
    const driven = synchronised("server")
      .tell({ kind: "clientsWaited", count: 1 })
      .tell({ kind: "tcpBroken" })
    expect(driven.take()).toEqual(["accept", "1f43", "reset", "closed broken", preamble.server])
  })
})

test("clients are taken one at a time, each after its own round", () => {
  const driven = synchronised("server").tell({ kind: "clientsWaited", count: 3 })
  expect(driven.take()).toEqual(["accept", "1f43"])
  expect(driven.tell({ kind: "clientsWaited", count: 2 }).far("1f631f73").take()).toEqual(["1f73", "opened"])
  driven.far("1f441f441f441fc11fc21fc3")
  expect(driven.take().slice(-3)).toEqual(["synchronised", "accept", "1f43"])
})

describe("a line that lost bytes", () => {
  test.each(["server", "client"] as const)(
    "ends the connection of a %s as broken, and synchronises anew",
    (role) => {
      expect(opened(role).tell({ kind: "torn" }).take()).toEqual([
        "discard",
        "reset",
        "closed torn",
        preamble[role],
      ])
      expect(synchronised(role).tell({ kind: "torn" }).take()).toEqual(["discard", preamble[role]])
    },
  )

  test("takes half a pair with it", () => {
    const driven = synchronised("client").far("1f").tell({ kind: "torn" }).far("43")
    expect([driven.end.phase, driven.take()]).toEqual(["syncing", ["discard", preamble.client]])
  })
})

describe("a far end that begins to synchronise", () => {
  test("is waited for by a server, and asked by a client", () => {
    expect(synchronised("server").far("1f44").pass(499).take()).toEqual(["discard"])
    expect(synchronised("server").far("1f44").pass(500).take()).toEqual(["discard", preamble.server])
    expect(synchronised("client").far("1f44").take()).toEqual(["discard", preamble.client])
  })

  test("brings an idle end back, though its disconnects were lost", () => {
    expect(synchronised("client").far("1fe0").take()).toEqual(["discard", preamble.client])
    expect(synchronised("server").far("1fc1").take()).toEqual(["discard", "1fe1"])
  })

  test("does not end a connection without its disconnects, which it repeats", () => {
    const driven = opened("server").far("1fc1")
    expect([driven.take(), driven.end.phase]).toEqual([["strayCode"], "open"])
    expect(driven.far("1f441f441fc1").take()).toEqual(["discard", "reset", "closed farBroken", "1fe1"])
  })
})

describe("the far end's disconnect", () => {
  test.each(["server", "client"] as const)("is a %s's orderly end when two more follow it", (role) => {
    const question = role === "server" ? "1fc1" : "1fe0"
    const driven = opened(role).far("6869 1f44 1f441f44")
    expect(driven.take().filter((word) => !word.startsWith("1f"))).toEqual(["deliver 6869", "discard"])
    expect(driven.far(question).take().slice(0, 2)).toEqual(["end", "closed farEnded"])
  })

  test.each([
    ["once", "1f44"],
    ["twice, as each round begins", "1f441f44"],
    ["four times, by one that was started twice", "1f441f441f441f44"],
  ])("that comes %s resets the connection: it was no orderly end", (_, disconnects) => {
    expect(opened("server").far(`${disconnects} 1fc1`).take()).toEqual([
      "discard",
      "reset",
      "closed farBroken",
      "1fe1",
    ])
  })

  test("behind which nothing comes resets the connection after half a second", () => {
    const driven = opened("client").far("1f44").pass(499)
    expect(driven.take()).toEqual(["discard", preamble.client])
    expect(driven.pass(1).take()).toEqual(["reset", "closed farBroken"])
    expect(driven.far("1f441f441fe0").take()).toEqual([preamble.client])
  })

  test("is forgotten when this end loses bytes, or leaves", () => {
    const torn = opened("client").far("1f441f441f44")
    torn.take()
    expect(torn.tell({ kind: "torn" }).take()).toEqual(["discard", "reset", "closed torn", preamble.client])
    const stopped = opened("client").far("1f441f441f44")
    stopped.take()
    expect(stopped.tell({ kind: "stopped" }).take()).toEqual(["reset", "closed stopped"])
  })
})

test.each(["", "1f"])(
  "a far end that is stopped and starts again at once has ended nothing in order, with %j of a pair left in the cable",
  (half) => {
    const far = opened("client").tell({ kind: "stopped" }).tell({ kind: "started" })
    const written = far.take().filter((word) => word.startsWith("1f"))
    const driven = opened("server").far(half + written.join(""))
    expect(driven.take()).toContain("closed farBroken")
  },
)

test("a server that calls again has ended the connection before, however that was lost", () => {
  const driven = opened("client").far("6f6e651f431f7374776f")
  expect(driven.take()).toEqual(["deliver 6f6e65", "discard", "reset", "closed torn", preamble.client])
})

describe("reports", () => {
  test("a looped cable, or the same role at the far end, is told once, and costs a few bytes a minute", () => {
    for (const role of ["server", "client"] as const) {
      const driven = new Driven({ role })
      let bytes = 0
      let told = 0
      for (let second = 0; second < 600; second++) {
        for (const word of driven.take()) {
          if (word === "sameRole") told++
          if (!word.startsWith("1f")) continue
          bytes += word.length / 2
          driven.far(word)
        }
        driven.pass(1_000)
      }
      expect(told).toBe(1)
      expect(bytes).toBeLessThan(10 * 60)
    }
  })

  test("a far end that does not come is told once; the attempts go on", () => {
    const driven = new Driven({ role: "client", syncTimeoutMs: 5_000 }).pass(20_000)
    expect(driven.take()).toEqual([
      ...Array<string>(4).fill(preamble.client),
      "syncTimedOut",
      ...Array<string>(2).fill(preamble.client),
    ])
    expect(driven.far("1fe11fe21fe3").take().at(-1)).toBe("synchronised")
  })

  test("codes that mean nothing are ignored and told", () => {
    expect(opened("client").far("1f631f461f731f00").take()).toEqual(Array<string>(4).fill("strayCode"))
  })
})

test("an end that leaves says so if it was connected, and nothing else happens then", () => {
  const driven = opened("server").tell({ kind: "stopped" })
  expect(driven.take()).toEqual(["discard", "1f441f441f44", "reset", "closed stopped"])
  expect(driven.far("1f441fc1").tell({ kind: "tcpEnded" }).pass(60_000).take()).toEqual([])
  expect(synchronised("client").tell({ kind: "stopped" }).take()).toEqual([])
})
