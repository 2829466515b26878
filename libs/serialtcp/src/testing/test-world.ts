import { FakeClock } from "@serialcast/testkit"
import type { Role } from "../codes.ts"
import { TestApplication } from "./test-application.ts"
import { TestLine } from "./test-line.ts"
import { CoreStation, OriginalStation, type TestStation } from "./test-station.ts"

export interface TestWorldOptions {
  readonly pieceMs: number
  readonly pieceBytes: number
  readonly latencyMs: number
  /** Of each application, in bytes. */
  readonly payloadBytes: number
  /** Which side's applications send their end after their payload. */
  readonly ends: Role
  /** Whether the target is there. */
  readonly isTargetUp?: boolean
  readonly graceMs?: number
  /** How long after a connection the next TCP client comes. Default: 1. */
  readonly pauseMs?: number
  /** Roles that the existing program plays. */
  readonly originals?: readonly Role[]
}

/** Two stations, the cable between them, and the programs whose TCP connections they carry. For tests. */
export class TestWorld {
  readonly clock = new FakeClock()
  readonly stations: Record<Role, TestStation | null> = { server: null, client: null }
  /** In the order of their connections. */
  readonly applications: Record<Role, TestApplication[]> = { server: [], client: [] }
  /** By the role that sends. */
  readonly lines: Record<Role, TestLine>
  isTargetUp: boolean
  readonly #options: TestWorldOptions

  constructor(options: TestWorldOptions) {
    this.#options = options
    this.isTargetUp = options.isTargetUp ?? true
    const line = (to: Role) =>
      new TestLine({
        ...options,
        clock: this.clock,
        onArrived: (bytes) => this.stations[to]?.receive(bytes),
      })
    this.lines = { server: line("client"), client: line("server") }
  }

  start(role: Role): void {
    const { clock } = this
    const { graceMs, pauseMs = 1, originals = [] } = this.#options
    const deps = { clock, line: this.lines[role], connect: () => this.#connect(role), pauseMs }
    this.stations[role] = originals.includes(role)
      ? new OriginalStation(role, deps)
      : new CoreStation({ role, graceMs, silenceMs: 20 }, deps)
  }

  /** `kept`: how many bytes that were written and not transmitted the cable still gets. */
  kill(role: Role, kept: "all" | "none"): void {
    this.stations[role]?.kill()
    this.stations[role] = null
    if (kept === "none") this.lines[role].discard()
  }

  core(role: Role): CoreStation {
    const station = this.stations[role]
    if (station instanceof CoreStation) return station
    throw new Error(`The ${role} is down, or the existing program.`)
  }

  /** Connections whose applications both got everything that the other one sent. */
  wholeExchanges(): number {
    const { server, client } = this.applications
    const isWhole = (from: TestApplication, to: TestApplication) => sameBytes(from.payload, to.received)
    return server.filter((near) => client.some((far) => isWhole(near, far) && isWhole(far, near))).length
  }

  /**
   * Throws when an application got anything but the beginning of what one application of the other side sent, or two of
   * them got the same one's, or when one saw the end of less than all. `maxTornTails`: so many may have two bytes more, which are what a far end that was killed in the
   * middle of a pair makes of the next one's disconnect.
   */
  checkDeliveries(maxTornTails: number): void {
    let tornTails = 0
    for (const [from, to] of [
      ["server", "client"],
      ["client", "server"],
    ] as const) {
      let next = 0
      // The existing program tells no reset, and ends a connection at both sides when one of them ends.
      const mustBeWhole = from === this.#options.ends && !this.#options.originals?.includes(to)
      for (const { received, outcome } of this.applications[to]) {
        const [tag, index] = received
        if (mustBeWhole && outcome === "ended" && received.byteLength < this.#options.payloadBytes)
          throw new Error(`A ${to} saw the end of ${received.byteLength} bytes, which are not all.`)
        if (index === undefined) continue
        const source = this.applications[from].findIndex(
          ({ payload }) => payload[0] === tag && payload[1] === index,
        )
        const sent = this.applications[from][source]?.payload ?? new Uint8Array(0)
        if (isBeginning(received, sent)) {
          if (source < next)
            throw new Error(`Connection ${source} of the ${from}s was delivered after ${next - 1}.`)
          next = source + 1
        } else if (isBeginning(withoutTornTail(received), sent)) {
          tornTails++
        } else {
          throw new Error(`A ${to} got ${received.join(" ")}, which no ${from} sent.`)
        }
      }
    }
    if (tornTails > maxTornTails) throw new Error(`${tornTails} deliveries have bytes that nobody sent.`)
  }

  #connect(role: Role): TestApplication | null {
    if (role === "client" && !this.isTargetUp) return null
    const applications = this.applications[role]
    const index = applications.length
    const tag = (role === "server" ? 0x40 : 0x80) + (index >> 8)
    const pattern = (at: number) =>
      [tag, index & 0xff, 0x1f, 0x44, at & 0xff, 0x1f, 0x1f, 0x73][at % 8] ?? tag
    const payload = Uint8Array.from({ length: this.#options.payloadBytes }, (_, at) => pattern(at))
    const application = new TestApplication({ payload, ends: role === this.#options.ends })
    applications.push(application)
    return application
  }
}

/** A far end that is killed in the middle of a pair, again and again, leaves one of these each time. */
function withoutTornTail(bytes: Uint8Array): Uint8Array {
  let end = bytes.byteLength
  while (bytes[end - 2] === 0x1f && bytes[end - 1] === 0x44) end -= 2
  return bytes.subarray(0, end)
}

function isBeginning(part: Uint8Array, whole: Uint8Array): boolean {
  return part.byteLength <= whole.byteLength && sameBytes(part, whole.subarray(0, part.byteLength))
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, at) => byte === b[at])
}
