import { IncomingMessage } from "node:http"
import { Socket } from "node:net"
import { LoopTurns } from "@serialcast/primitives"
import { expect, test } from "vitest"
import { BodyIntake } from "./body-intake.ts"

/** A request whose chunks a test hands over as Node's parser does, and that counts how often the parser is to go on. */
class PlayedRequest extends IncomingMessage {
  goneOn = 0

  constructor() {
    super(new Socket())
  }

  override _read(): void {
    this.goneOn += 1
  }

  /** Whether the parser may read on from the socket. */
  chunk(): boolean {
    return this.push(Uint8Array.of(1))
  }
}

function start(hasRoom: () => boolean = () => true) {
  const request = new PlayedRequest()
  const intake = new BodyIntake(request, { turns: new LoopTurns(), hasRoom, onNews: () => {} })
  request.goneOn = 0
  return { request, intake }
}

test("after a thousand chunks, whatever their size, the parser stops until others had their turn", async () => {
  const { request, intake } = start()
  const answers = Array.from({ length: 1_024 }, () => request.chunk())
  expect([answers.indexOf(false), request.chunk()]).toEqual([1_023, false])
  intake.goOn()
  expect(request.goneOn).toBe(0)
  await new Promise(setImmediate)
  expect([request.goneOn, request.chunk(), intake.queue.byteLength]).toEqual([1, true, 1_026])
})

test("without room the parser stops, and goes on when it is told that there is some", async () => {
  let hasRoom = true
  const { request, intake } = start(() => hasRoom)
  expect(request.chunk()).toBe(true)
  hasRoom = false
  expect(request.chunk()).toBe(false)
  await new Promise(setImmediate)
  expect(request.goneOn).toBe(0)
  hasRoom = true
  intake.goOn()
  expect([request.goneOn, request.chunk()]).toEqual([1, true])
})

test("what comes after it is over is the request's again", () => {
  const { request, intake } = start()
  intake[Symbol.dispose]()
  request.chunk()
  expect([intake.queue.byteLength, request.readableLength]).toEqual([0, 1])
})
