/*
 *   keyboard ─→ Keyboard ─→ Typist ─→ DeviceWriter ─→ device
 *   screen   ←──────────────── device.read() ←────────┘
 *        ↑ status lines: offline, online, refusals
 */
import { AppError, describeVeil, type StartPoint } from "@serialcast/contract"
import { type Device, type DeviceLease, veiled } from "@serialcast/device-stream"
import { createDeferred, type Deferred } from "@serialcast/primitives"
import { defineCommand } from "../command/command.ts"
import type { CommandContext } from "../command/context.ts"
import { type ExitCode, exitCodes } from "../command/exit-code.ts"
import type { OptionTable, OptionValues } from "../command/options.ts"
import { UsageError } from "../command/usage-error.ts"
import { chooseDevice } from "../gateway/choose-device.ts"
import { connectionOptions, connectToGateway, type GatewayConnection } from "../gateway/connect.ts"
import { describeGap } from "../gateway/describe-event.ts"
import { followState } from "../gateway/follow-state.ts"
import { parsePlace } from "../gateway/stream-options.ts"
import { escapeControls } from "../terminal/escape-controls.ts"
import { createPaint } from "../terminal/paint.ts"
import { type EscapeKey, parseEscapeKey } from "./escape-key.ts"
import { Keyboard } from "./keyboard.ts"
import { makeRaw } from "./raw-terminal.ts"
import { Typist } from "./typist.ts"

/** How long a lease outlives a process that was killed, in milliseconds. */
const leaseTtlMs = 10_000
/** What was typed right before leaving has this long to be sent, in milliseconds. */
const farewellMs = 1_000

const options = {
  ...connectionOptions,
  from: {
    type: "string",
    value: "place",
    help: "Show what came before: -N (the last N bytes), start, or a time",
  },
  escape: {
    type: "string",
    short: "e",
    value: "key",
    help: "The key that leaves: ^] (default), ^A and so on, or none",
  },
  exclusive: { type: "boolean", short: "x", help: "Nobody else may write meanwhile (takes a lease)" },
} as const satisfies OptionTable

const readonlyOption = { readonly: { type: "boolean", short: "r", help: "Keys are not sent" } } as const

export const attachCommand = defineCommand({
  name: "attach",
  summary: "Be the terminal of a device; Ctrl-] leaves",
  operands: "[device]",
  maxOperands: 1,
  about: [
    "Every key goes to the device as it is, Ctrl-C too, and every byte of the device to this terminal, which obeys it:\n" +
      "attach to devices that you trust, and look at others with tail. Any number of people may be attached at once.",
    "When the device goes away and comes back, a status line says so, and the terminal stays. What is typed meanwhile\n" +
      "is not sent later. What a program says to the device under a lease with a purpose is not shown.",
  ],
  options: { ...options, ...readonlyOption },
  examples: [
    ["serialcast attach uno", "Talk to it"],
    ["serialcast attach uno --from -2000", "With the last 2,000 bytes on the screen"],
    ["serialcast attach uno --exclusive --escape ^A", "Alone, and Ctrl-] goes to the device"],
  ],
  run: ({ values, operands: [given] }, context) => attach({ values, given, greeting: "" }, context),
})

export const replCommand = defineCommand({
  name: "repl",
  summary: "Be the terminal of a MicroPython board, at a new prompt; Ctrl-] leaves",
  operands: "[device]",
  maxOperands: 1,
  about: ["As attach, with a return typed first. A program that runs goes on; Ctrl-C interrupts it."],
  options,
  examples: [["serialcast repl board", "Try a line of Python"]],
  run: ({ values, operands: [given] }, context) => attach({ values, given, greeting: "\r" }, context),
})

interface Attaching {
  readonly values: OptionValues<typeof options> & { readonly readonly?: boolean | undefined }
  readonly given: string | undefined
  /** Typed as soon as the device's answer can be seen. */
  readonly greeting: string
}

async function attach({ values, given, greeting }: Attaching, context: CommandContext): Promise<ExitCode> {
  const { exclusive = false, readonly: isReadOnly = false } = values
  const escape = parseEscapeKey(values.escape ?? "^]")
  const from = parsePlace("from", values.from ?? "now")
  if (exclusive && isReadOnly) throw new UsageError("--exclusive and --readonly exclude each other.")
  if (!context.stdin.isTTY || !context.stdout.isTerminal) {
    throw new UsageError("attach and repl need a terminal; scripts use tail, write and run.")
  }
  await using gateway = await connectToGateway(values, context)
  const address = chooseDevice(gateway.client.devices.list(), given)
  const device = gateway.client.device(address)
  await using lease = exclusive ? await device.acquireLease({ by: gateway.by, ttlMs: leaseTtlMs }) : undefined
  const attached = createDeferred<void>()
  const attachment = {
    gateway,
    address,
    device,
    lease,
    from,
    escape,
    isReadOnly,
    greeting,
    attached,
    context,
  }
  await holdAttached(attachment)
  return exitCodes.done
}

interface Attachment {
  readonly gateway: GatewayConnection
  readonly address: string
  readonly device: Device
  readonly lease: DeviceLease | undefined
  readonly from: StartPoint
  readonly escape: EscapeKey
  readonly isReadOnly: boolean
  readonly greeting: string
  readonly attached: Deferred<void>
  readonly context: CommandContext
}

/** Until the escape key, a signal, or the loss of the lease, which is thrown as `lease_lost`. */
async function holdAttached(attachment: Attachment): Promise<void> {
  const { address, lease, context } = attachment
  const { stdout, signal } = context
  const leaving = new AbortController()
  const leave = () => leaving.abort()
  for (const reason of [signal, lease?.lost]) {
    reason?.addEventListener("abort", leave)
    if (reason?.aborted === true) leave()
  }
  context.onHangUp(leave)
  await converse(attachment, leaving)
  // A terminal that hung up hears no farewell.
  await stdout.write(`\n-- left ${address}\n`).catch(() => {})
  if (lease?.lost.aborted === true && !signal.aborted) {
    throw new AppError("lease_lost", `Somebody else may write to ${address} now.`)
  }
}

async function converse(attachment: Attachment, leaving: AbortController): Promise<void> {
  const { gateway, address, context } = attachment
  const { stdin, stdout } = context
  await using _raw = makeRaw(stdin, stdout)
  const paint = createPaint(stdout.hasColors)
  // Starts and ends at the left, wherever the device left the cursor. Without a terminal there is nobody to talk to.
  const tell = (line: string) => {
    stdout.write(`\r\n${paint("dim", `-- ${escapeControls(line)}`)}\r\n`).catch(() => leaving.abort())
  }
  const forget = followState(gateway.client.devices, address, tell)
  try {
    await Promise.all([type(attachment, leaving, tell), show(attachment, leaving, tell)])
  } finally {
    leaving.abort()
    forget()
  }
}

type Tell = (line: string) => void

async function type(attachment: Attachment, leaving: AbortController, tell: Tell): Promise<void> {
  const { device, lease, escape, isReadOnly, greeting, attached, context } = attachment
  const { signal } = leaving
  const leave = () => leaving.abort()
  const onEscape = () => void context.clock.startTimer(farewellMs, leave)
  const keyboard = new Keyboard(context.stdin, { escape: escape.byte, onEscape })
  const { by } = attachment.gateway
  const typist = new Typist({ device, by, lease: lease?.fence, signal, onRefused: tell })
  if (greeting !== "") void attached.promise.then(() => typist.type(new TextEncoder().encode(greeting)))
  for await (const bytes of keyboard.read(signal)) {
    if (!isReadOnly) await typist.type(bytes)
  }
  await typist.finish()
  leave()
}

async function show(attachment: Attachment, leaving: AbortController, tell: Tell): Promise<void> {
  const { gateway, address, device, from, escape, isReadOnly, context } = attachment
  let isAttached = false
  try {
    const events = device.read({ from, signal: leaving.signal })
    for await (const event of veiled(events, () => gateway.client.devices.get(address))) {
      if (event.kind === "bytes") await context.stdout.write(event.bytes)
      else if (event.kind === "drawn" || event.kind === "lifted") tell(describeVeil(event))
      else if (event.kind === "gap") tell(describeGap(event.gap))
      else if (event.kind === "positioned" && !isAttached) {
        isAttached = true
        attachment.attached.resolve()
        // Said when nothing that the device sends from now on can be missed.
        tell(`attached to ${address}${isReadOnly ? ", read only" : ""}; ${escape.label} leaves`)
      }
    }
  } finally {
    leaving.abort()
  }
}
