import { writeFileSync } from "node:fs"
import { join } from "node:path"
import type { RequestEvent } from "@serialcast/resources"
import { createLogger, createMetrics, type WebhookConfig } from "@serialcast/service-kit"
import {
  createMemoryBroker,
  createTemporaryFolder,
  eventually,
  FakeClock,
  type MemoryBroker,
} from "@serialcast/testkit"
import { beforeEach, expect, onTestFinished, test } from "vitest"
import { answerWith, hookReceiver } from "../testing/hook-receiver.ts"
import { testServer } from "../testing/test-server.ts"
import { topics } from "../testing/test-store.ts"
import { signatureOf } from "./sign.ts"
import { maxEvents } from "./webhook.ts"
import { createWebhooks } from "./webhooks.ts"

const secret = "a secret of some length"
let broker: MemoryBroker
let secretFile: string

beforeEach(async () => {
  broker = await createMemoryBroker()
  onTestFinished(() => broker[Symbol.asyncDispose]())
  const folder = createTemporaryFolder()
  onTestFinished(() => folder[Symbol.dispose]())
  secretFile = join(folder.path, "secret")
  writeFileSync(secretFile, `${secret}\n`)
})

function hook(url: string, changes: Partial<WebhookConfig> = {}): WebhookConfig {
  const defaults = { uri: "/temp", methods: ["PUT", "POST"], recursive: false } as const
  return { ...defaults, url, secret: { file: secretFile }, ...changes }
}

const change = (url: string, method: string, body = "x") =>
  fetch(url, method === "DELETE" ? { method } : { method, body })

test("a webhook whose address is what it tells of ends there", async () => {
  const receiver = await hookReceiver(answerWith(200))
  const { url } = await testServer(broker, { webhooks: [hook(receiver.url)] })
  await change(`${url}/api/v1/resources`, "POST", '{"uri":"/temp"}')
  await change(`${url}/api/v1/resources`, "POST", '{"uri":"/other"}')
  await change(`${url}/temp`, "POST")
  await eventually(() => expect(receiver.received).toHaveLength(1))
  const { body, headers } = receiver.received[0]!
  const deliver = (path: string) =>
    fetch(url + path, {
      method: "POST",
      headers: { "Serialcast-Delivery": String(headers["serialcast-delivery"]) },
      body,
    })
  expect((await deliver("/temp")).status).toBe(508)
  expect((await deliver("/other")).status).toBe(201)
  await change(`${url}/temp`, "PUT", "the next one")
  await eventually(() => expect(receiver.received.at(-1)?.body).toContain("the next one"))
  expect(receiver.received).toHaveLength(2)
})

test("of two servers the one that answered tells, once, signed, with what the broker is told", async () => {
  const receiver = await hookReceiver(answerWith(200))
  const webhooks = [hook(receiver.url)]
  const [one, other] = [await testServer(broker, { webhooks }), await testServer(broker, { webhooks })]
  await change(`${one.url}/api/v1/resources`, "POST", '{"uri":"/temp"}')
  expect((await change(`${one.url}/temp`, "PUT", "21.5")).status).toBe(204)
  expect((await change(`${other.url}/temp`, "POST", "22")).status).toBe(201)
  await eventually(() => expect(receiver.received).toHaveLength(2))

  const told = broker
    .published(topics.filter("resourceEvent").topic)
    .map(({ payload }) => Buffer.from(payload).toString())
  expect(receiver.received.map(({ body }) => body).sort()).toEqual(told.sort())
  for (const { body, headers } of receiver.received) {
    const signature = String(headers["serialcast-signature"])
    const seconds = Number(/^t=(\d+)/.exec(signature)?.[1])
    expect(signature).toBe(signatureOf(Buffer.from(secret), Buffer.from(body), seconds * 1_000))
  }
})

test("tells of what was asked for, by uri, method and whether those below it are meant", async () => {
  const [alone, below, root] = [
    await hookReceiver(answerWith(200)),
    await hookReceiver(answerWith(200)),
    await hookReceiver(answerWith(200)),
  ]
  const { url } = await testServer(broker, {
    webhooks: [
      hook(alone.url),
      hook(below.url, { methods: ["GET", "DELETE"], recursive: true }),
      hook(root.url, { uri: "/", methods: ["PUT"], recursive: true }),
    ],
  })
  for (const uri of ["/temp", "/temperature", "/temp/a", "/other"])
    await change(`${url}/api/v1/resources`, "POST", JSON.stringify({ uri }))
  for (const uri of ["/temp", "/temperature", "/temp/a", "/other", "/none"]) {
    await change(url + uri, "PUT")
    await fetch(url + uri)
    await change(url + uri, "DELETE")
  }
  const events = ({ received }: typeof alone) =>
    received.map(({ body }) => {
      const { method, uri, status } = JSON.parse(body) as Record<string, string>
      return `${method} ${uri} ${status}`
    })
  await eventually(() => {
    expect(events(alone)).toEqual(["PUT /temp 204"])
    expect(events(below)).toEqual([
      "GET /temp 200",
      "DELETE /temp 204",
      "GET /temp/a 200",
      "DELETE /temp/a 204",
    ])
    expect(events(root)).toEqual([
      "PUT /temp 204",
      "PUT /temperature 204",
      "PUT /temp/a 204",
      "PUT /other 204",
    ])
  })
})

test("nobody waits for a receiver that hangs: clients are answered, and the stop is over in time", async () => {
  const receiver = await hookReceiver(() => {})
  const { url, server } = await testServer(broker, { webhooks: [hook(receiver.url)] })
  await change(`${url}/api/v1/resources`, "POST", '{"uri":"/temp"}')
  for (const text of ["1", "2", "3"]) expect((await change(`${url}/temp`, "PUT", text)).status).toBe(204)
  await eventually(() => expect(receiver.received).toHaveLength(1))
  await server.stop()
  // Had the stop waited for the end of the try, the next event would have been sent.
  expect(receiver.received).toHaveLength(1)
})

test.each([
  ["too short", "short\n", "expected one line of 16 characters or more in FILE, found 5."],
  ["of several lines", "a secret of some length\nand more", "found several lines."],
])("a secret that is %s ends the start with a sentence", async (_what, text, message) => {
  writeFileSync(secretFile, text)
  await expect(testServer(broker, { webhooks: [hook("http://127.0.0.1:9/")] })).rejects.toThrow(
    message.replace("FILE", secretFile),
  )
})

test("a secret that is not there ends the start with a sentence", async () => {
  const missing = hook("http://127.0.0.1:9/", { secret: { file: `${secretFile}.not` } })
  await expect(testServer(broker, { webhooks: [missing] })).rejects.toThrow(
    `resources.webhooks.0.secret.file: ${secretFile}.not cannot be read`,
  )
})

test("what is given up or dropped is counted, told once a minute, and shows neither URL nor secret", async () => {
  const lines: string[] = []
  const log = createLogger({
    name: "test",
    level: "info",
    pretty: false,
    destination: { write: (line) => void lines.push(line) },
  })
  const [clock, metrics] = [new FakeClock(), createMetrics()]
  const receiver = await hookReceiver(answerWith(404))
  const url = `${receiver.url}?key=hunter2`
  const webhooks = createWebhooks([{ ...hook(url), secret: Buffer.from(secret) }], { clock, log, metrics })
  const event: RequestEvent = {
    uri: "/temp",
    method: "PUT",
    headers: {},
    body: Buffer.from("1"),
    newUri: "",
    status: 204,
  }
  for (let at = 0; at < maxEvents + 10; at++) webhooks.tell(event, clock.nowMs())
  const counted = async () => {
    const { values } = (await metrics.getSingleMetric("serialcast_resource_webhook_events_total")?.get()) ?? {
      values: [],
    }
    return values.map(({ labels, value }) => `${labels["uri"]} ${labels["outcome"]} ${value}`).sort()
  }
  await eventually(async () =>
    expect(await counted()).toEqual([`/temp dropped 10`, `/temp failed ${maxEvents}`]),
  )
  await webhooks.stop()
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
    {
      webhook: "resources.webhooks.0",
      uri: "/temp",
      msg: "an event for a webhook was dropped, as too many wait",
    },
    { webhook: "resources.webhooks.0", uri: "/temp", reason: "answered with 404", tries: 1 },
  ])
  expect(lines.join("")).not.toMatch(/hunter2|a secret/)
})
