/*
 *   socket ─→ Rfc2217Server ─→ data ─────────────→ lane ─→ device
 *                          └─→ requests ─→ desk ──↗
 *          ←── answers, in order ←───────────┘
 *          ←── data ←── ClientStream (silence, purge) ←─── device
 *          ←── modem state ←────────────────────────────── device's state
 */
import { setImmediate as nextTurn } from "node:timers/promises"
import { toAppError } from "@serialcast/contract"
import type { Device } from "@serialcast/device-stream"
import { createWakeup, delay, longAgo, msSince, within } from "@serialcast/primitives"
import { type PortRequest, Rfc2217Server, type ServerEvent } from "@serialcast/rfc2217"
import { type Rfc2217Tunnel, untilKnown } from "@serialcast/service-kit"
import type { ConnectedClient } from "../clients/connected-client.ts"
import { readClient } from "../first-bytes/read-client.ts"
import { feedSocket } from "../from-device/feed-socket.ts"
import { createUnplugCheck } from "../from-device/unplug-marks.ts"
import { createDeviceLane, type DeviceLane } from "../to-device/device-lane.ts"
import { linger } from "../to-device/linger.ts"
import type { Opening } from "../to-device/openings.ts"
import type { TunnelDeps } from "../tunnel.ts"
import { ClientStream } from "./client-stream.ts"
import type { Control, Seat, Standing } from "./control.ts"
import { RequestDesk } from "./request-desk.ts"
import type { SharedPort } from "./shared-port.ts"

/** Requests of a client that may wait for their answers; beyond them it is not read. */
const maxWaitingAnswers = 64
/** Bytes that may wait for a client that does not read; beyond them it is not read, nor told of modem lines. */
const maxUnsentBytes = 256 * 1024
/** For the stream's place to be found before the first write, so that the device's answer to it is seen. */
const startMs = 1_000
/** How long the device may be silent before a client that has ended its own direction is taken to have all. */
const quietMs = 500
/** A client's requests are done for so long in a row, in milliseconds; then others have their turn. */
const inARowMs = 5
/** What the device takes of a client's bytes when the service stops, in milliseconds. */
const stopMs = 500

export interface ServedClientDeps extends Pick<TunnelDeps, "devices" | "clock" | "onChange"> {
  readonly config: Rfc2217Tunnel
  readonly device: Device
  readonly port: SharedPort
  readonly control: Control
  /** Aborted when the tunnel stops: nothing is waited for then. */
  readonly stopping: AbortSignal
}

/** One client of a tunnel, from its connection to its end. */
export class ServedClient {
  readonly #client: ConnectedClient
  readonly #deps: ServedClientDeps
  readonly #server = new Rfc2217Server({ signature: "Serialcast" })
  readonly #stream: ClientStream
  readonly #lane: DeviceLane
  readonly #seat: Seat
  readonly #desk: RequestDesk
  #started: Promise<void> | null = null
  #lastAnswer: Promise<void> = Promise.resolve()
  #waitingAnswers = 0
  /** How often the device took bytes of the client. */
  #receipts = 0
  /** When it last let others have their turn. */
  #inARowMs = longAgo
  /** Bytes of the device that were sent to the client. */
  #sentBytes = 0
  /** Set when it leaves; resolves when all that it held is given back. */
  #left: Promise<void> | null = null
  readonly #drained = createWakeup()

  constructor(client: ConnectedClient, deps: ServedClientDeps) {
    const { config, devices, clock, port, device, control, onChange } = deps
    const { by, record } = client
    this.#client = client
    this.#deps = deps
    this.#stream = new ClientStream(device)
    this.#seat = control.join({
      by,
      onChange(hasControl) {
        record.hasControl = hasControl
        onChange()
      },
    })
    this.#lane = createDeviceLane(
      {
        address: config.device,
        by,
        lease: () => this.#seat.fence,
        onTaken: (bytes) => {
          this.#receipts += 1
          record.countFromClient(bytes)
        },
        onRefused: (bytes) => record.countRefused(bytes),
        onFailed: (error) => client.reset(`what it sent was not written: ${error.message}`),
      },
      { devices, clock },
    )
    this.#desk = new RequestDesk({
      config,
      port,
      lane: this.#lane,
      purgeReceived: () => this.#stream.purge(),
      clock,
      log: this.#client.log,
    })
  }

  /** Serves the client until its connection has ended, and what it began too. */
  async run(): Promise<void> {
    const { socket, signal } = this.#client
    const onDrain = () => {
      this.#drained.wake()
      this.#notify()
    }
    socket.on("drain", onDrain)
    this.#client.endsAfter(this.#lane)
    this.#send(this.#server.open())
    const fail = (error: unknown) => this.#fail(error)
    const sending = this.#sendStream().catch(fail)
    const receiving = this.#receiveAll().catch(fail)
    await createWakeup().wait({ signal })
    socket.off("drain", onDrain)
    await this.#linger(receiving)
    await this.leave()
    await Promise.all([sending, receiving])
  }

  /**
   * Takes back what the device has not taken, puts right what the client changed, and gives control to the next one.
   * Takes 1.5 s at most, whoever answers.
   */
  leave(): Promise<void> {
    this.#left ??= this.#giveBack()
    return this.#left
  }

  /** As `leave`, when what the client sent is written, or 0.5 s later. */
  async stop(): Promise<void> {
    await within(this.#lane.flush(), { clock: this.#deps.clock, timeoutMs: stopMs })
    await this.leave()
  }

  /** The device's state is different. */
  deviceChanged(): void {
    this.#notify()
  }

  async #sendStream(): Promise<void> {
    const { config, devices, device } = this.#deps
    const { socket, record, signal } = this.#client
    await untilKnown(devices, config.device, signal)
    const state = devices.devices.get(config.device)
    if (state === undefined) return
    const isUnplug = config.onUnplug === "close" ? createUnplugCheck(state) : () => false
    const end = await feedSocket({
      socket,
      device: { ...device, read: (options) => this.#stream.read(options) },
      from: config.replayBytes > 0 ? { kind: "last", bytes: config.replayBytes } : { kind: "now" },
      encode: (bytes) => this.#server.encodeData(bytes),
      signal,
      onSent: (bytes) => {
        this.#sentBytes += bytes
        record.countToClient(bytes)
      },
      onEvent: (event) => {
        if (isUnplug(event)) this.#client.end("the device was unplugged")
      },
    })
    if (end === "evicted") this.#client.reset("it was so slow that bytes for it are no longer kept")
  }

  /** Until the client's FIN or the end of its connection; then does what came to the end. */
  async #receiveAll(): Promise<void> {
    const { record, signal } = this.#client
    for await (const bytes of readClient(this.#client, this.#deps.config, this.#deps.clock)) {
      // Requests are signs of life too.
      record.countFromClient(0)
      const { events, reply } = this.#server.receive(bytes)
      this.#send(reply)
      const { opening } = this.#lane
      for (const event of events) {
        if (this.#left === null) await this.#handle(event, opening)
        await this.#letOthers()
      }
      while (this.#isBehind && !signal.aborted) await this.#drained.wait({ signal })
    }
    await this.#linger(this.#lane.flush())
    const isWritten = this.#lane.isIdle
    await this.leave()
    if (!isWritten) return this.#client.reset("the device did not take what it sent")
    // Programs that know COM-PORT end both directions at once; a terminal may wait for the device's answer.
    if (!this.#server.isComPort) await this.#untilQuiet()
    this.#client.end("it ended its side")
  }

  /** Thousands of requests fit into a segment, and an agent in this process answers without a turn of the event loop. */
  async #letOthers(): Promise<void> {
    const { clock } = this.#deps
    if (msSince(clock, this.#inARowMs) < inARowMs) return
    await nextTurn()
    this.#inARowMs = clock.monotonicMs()
  }

  /** It has left so much unread that nothing more is done for it. */
  get #isBehind(): boolean {
    return this.#client.socket.writableLength >= maxUnsentBytes
  }

  /** `opening`: the port's when it came in. */
  async #handle(event: ServerEvent, opening: Opening | null): Promise<void> {
    switch (event.kind) {
      case "data":
        return await this.#write(event.bytes, opening)
      case "request":
        return await this.#answer(event.request)
      case "break":
        // Who is gone has nobody who could see what it does.
        if (!this.#client.signal.aborted && (await this.#standing()) === "controls") this.#desk.sendBreak()
        return
      case "agreed":
        return this.#notify()
      case "suspended":
        return this.#stream.suspend()
      case "resumed":
        return this.#stream.resume()
      case "signature":
      case "discarded":
        this.#client.log.debug({ event: event.kind }, "telnet event")
    }
  }

  async #write(bytes: Uint8Array, opening: Opening | null): Promise<void> {
    this.#desk.sawData()
    const { signal } = this.#client
    this.#started ??= this.#stream.started({ signal, timeout: { clock: this.#deps.clock, ms: startMs } })
    await this.#started
    // Without an agent there is nobody to give control: the lane refuses bytes then, as of an unplugged device.
    if ((await this.#standing()) !== "watches") return await this.#lane.write(bytes, opening)
    this.#client.record.countRefused(bytes.byteLength)
    this.#client.reset("it sent bytes while somebody else has control")
  }

  /** Answers go out in the order of the requests; those behind a write do not wait for it to be drained. */
  async #answer(request: PortRequest): Promise<void> {
    // Behind a device that takes nothing it is a question; a purge has to come through.
    const hasRoom = request.kind === "purge" || (await this.#desk.room())
    const mayChange = (await this.#standing()) === "controls" && hasRoom
    const answer = this.#desk.answer(request, mayChange)
    this.#waitingAnswers += 1
    const sendInTurn = async () => {
      this.#send(this.#server.answer(await answer))
      this.#waitingAnswers -= 1
    }
    this.#lastAnswer = this.#lastAnswer.then(sendInTurn).catch((error: unknown) => this.#fail(error))
    if (this.#waitingAnswers >= maxWaitingAnswers) await this.#lastAnswer
  }

  async #standing(): Promise<Standing> {
    return await this.#seat.standing()
  }

  #fail(error: unknown): void {
    const { code, message } = toAppError(error)
    if (code === "internal") this.#client.log.error({ err: error }, "serving a client failed")
    this.#client.reset(`${code}: ${message}`)
  }

  #send(bytes: Uint8Array): void {
    const { socket } = this.#client
    if (bytes.byteLength > 0 && socket.writable) socket.write(bytes)
  }

  /** Tells the modem state, if it is news to the client; to one that does not read, when it reads again. */
  #notify(): void {
    if (!this.#isBehind) this.#send(this.#server.notifyModemState(this.#deps.port.modemState))
  }

  /** Waits for `work`, which is writing what came; clients who come now wait for that. */
  async #linger(work: Promise<void>): Promise<void> {
    const { clock, port, stopping } = this.#deps
    const { baudRate } = port.settings.values
    this.#seat.prepareToLeave()
    await linger(work, { clock, baudRate, receipts: () => this.#receipts, signal: stopping })
  }

  async #giveBack(): Promise<void> {
    // What puts the port right waits for the writes, and a device that is stuck takes none.
    const isTakenBack = this.#lane[Symbol.asyncDispose]()
    await this.#desk.leave()
    await isTakenBack
    await this.#seat.leave()
  }

  /** A client that has ended its own direction may still wait for the answer of the device. */
  async #untilQuiet(): Promise<void> {
    const { clock } = this.#deps
    const { signal } = this.#client
    let sentBytes = -1
    while (sentBytes !== this.#sentBytes && !signal.aborted) {
      sentBytes = this.#sentBytes
      await delay(clock, quietMs, signal)
    }
  }
}
