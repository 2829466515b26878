import { once } from "node:events"
import { createBroker } from "@serialcast/broker"
import { concatBytes, systemClock } from "@serialcast/primitives"
import { parseResource } from "@serialcast/resources"
import { createLogger, createMetrics, loadConfig } from "@serialcast/service-kit"
import { eventually } from "@serialcast/testkit"
import mqtt from "mqtt"
import { beforeEach, describe, expect, onTestFinished, test } from "vitest"
import { runCommandLine } from "../command-line.ts"
import { spawnCli } from "../testing/spawn-cli.ts"
import { startResourceServer } from "../testing/start-resource-server.ts"
import { createTestContext, createTestOutput } from "../testing/test-context.ts"
import { listenToResources } from "./kept-words.ts"
import { topicOf } from "./resource-uri.ts"
import { setWord } from "./set-word.ts"

const free = "127.0.0.1:0"
let brokerUrl: string

const deps = () => ({
  log: createLogger({ name: "test", level: "silent" }),
  clock: systemClock,
  metrics: createMetrics(),
  token: null,
})

beforeEach(async () => {
  const env = {
    SERIALCAST_BROKER_LISTEN: free,
    SERIALCAST_BROKER_WEBSOCKET: free,
    SERIALCAST_BROKER_DIR: "off",
  }
  const broker = await createBroker(loadConfig({ env }), deps())
  onTestFinished(() => broker.stop())
  brokerUrl = `mqtt://127.0.0.1:${broker.address.port}`
})

/** What the command line says to these arguments behind `resource`; it throws what the command throws. */
async function resource(...args: readonly string[]) {
  const { context, stdout, stderr } = createTestContext()
  const [word = "", ...rest] = args
  const code = await runCommandLine(["resource", word, "--broker", brokerUrl, ...rest], context)
  return { code, out: stdout.text, err: stderr.text }
}

const get = async (uri: string) => (await resource("get", uri)).out

async function connect() {
  const client = await mqtt.connectAsync(brokerUrl)
  onTestFinished(() => client.endAsync())
  return client
}

async function publish(uri: string, text: string): Promise<void> {
  const client = await connect()
  await client.publishAsync(`serialcast/_resources${uri}`, text, { qos: 1, retain: true })
}

/** The server of this test's broker, ready. Answers where it is. */
async function startServer(changes: { readonly maxUri?: number } = {}): Promise<string> {
  return (await startResourceServer(brokerUrl, changes)).url
}

describe("without a server", () => {
  test("what is set is there, with its type and methods, until it is removed", async () => {
    await resource("set", "/temp", '{"c":21.5}', "--type", "application/json", "--methods", "get,PUT")
    await resource("set", "/", "--methods", "", "--child-methods", "GET", "--", "-1")
    expect(await get("/temp")).toBe('{"c":21.5}')
    const { out } = await resource("ls", "--json")
    const listed = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as object)
    expect(listed).toMatchObject([
      { uri: "/", contentType: "text/plain", bytes: 2, methods: [], childMethods: ["GET"] },
      {
        uri: "/temp",
        contentType: "application/json",
        bytes: 10,
        methods: ["GET", "PUT"],
        childMethods: ["GET", "PUT", "DELETE"],
      },
    ])
    await resource("rm", "/temp")
    await expect(resource("get", "/temp")).rejects.toThrow('There is no resource "/temp".')
    await expect(resource("rm", "/temp")).rejects.toThrow('There is no resource "/temp".')
    expect((await resource("ls")).out).toMatch(/^URI +TYPE +BYTES +METHODS\n\/ +text\/plain +2 +none\n$/)
  })

  test("another value changes neither type nor methods, unless they are given", async () => {
    await publish("/a", '{"v":"1","ct":"text/csv","m":3,"cm":8}')
    await resource("set", "/a", "2")
    const listed = async () => JSON.parse((await resource("ls", "/a", "--json")).out) as object
    expect(await listed()).toMatchObject({
      contentType: "text/csv",
      methods: ["GET", "PUT"],
      childMethods: ["DELETE"],
    })
    await resource("set", "/a", "3", "--methods", "POST", "--type", "text/plain")
    expect(await listed()).toMatchObject({
      contentType: "text/plain",
      methods: ["POST"],
      childMethods: ["DELETE"],
    })
    expect(await get("/a")).toBe("3")
  })

  test("a uri names those below it by segments, for ls and for rm --recursive", async () => {
    for (const uri of ["/a", "/ab", "/a/b", "/a/b/c+d", "/z"])
      await publish(uri.replace("+", "%2B"), '{"v":"x"}')
    const uris = async (...args: readonly string[]) =>
      (await resource("ls", ...args)).out
        .split("\n")
        .slice(1, -1)
        .map((line) => line.split(" ")[0])
    expect(await uris("/a")).toEqual(["/a", "/a/b", "/a/b/c+d"])
    await resource("rm", "/a")
    expect(await uris()).toEqual(["/a/b", "/a/b/c+d", "/ab", "/z"])
    await resource("rm", "-r", "/a")
    expect(await uris()).toEqual(["/ab", "/z"])
    await expect(resource("ls", "/a")).rejects.toThrow('There is no resource "/a".')
  })

  test("names and values do nothing to a terminal", async () => {
    await publish("/\u202Eevil", JSON.stringify({ v: "a\u001b[2Jb\n" }))
    await publish("/none", "\u001b[2J")
    const { out, err } = await resource("ls")
    expect(out).toContain("/\\u202Eevil")
    expect(err).toMatch(/^serialcast resource: What the broker keeps for "\/none" is no resource\. .*\n$/)
    const { context } = createTestContext()
    const terminal = createTestOutput({ isTerminal: true })
    const args = ["resource", "get", "/\u202Eevil", "--broker", brokerUrl]
    await runCommandLine(args, { ...context, stdout: terminal })
    expect(terminal.text).toBe("a\\x1B[2Jb\n\n")
    await expect(resource("get", "/\u202E")).rejects.toThrow('There is no resource "/\\u202E".')
    // oxlint-disable-next-line eslint/no-control-regex -- finding them is its purpose
    for (const text of [out, err, terminal.text]) expect(text).not.toMatch(/[\u001b\u202e]/)
  })

  test("what is no resource is told, set over and removed", async () => {
    await publish("/none", "21.5")
    await publish("/other", "21.5")
    await expect(resource("get", "/none")).rejects.toThrow('What the broker keeps for "/none" is no resource')
    await resource("set", "/none", "21.5")
    expect(await get("/none")).toBe("21.5")
    await resource("rm", "/other")
    await expect(resource("get", "/other")).rejects.toThrow("There is no resource")
  })

  test("what the broker keeps no more of is told", async () => {
    const client = await connect()
    // Half of what one client may leave unread, in pieces that it takes.
    for (let at = 0; at < 45; at++)
      await client.publishAsync(`serialcast/_resources/full/${at}`, Buffer.alloc(190_000), {
        qos: 1,
        retain: true,
      })
    await expect(resource("set", "/a", "x".repeat(100_000))).rejects.toThrow('The broker did not keep "/a"')
  })

  test("there may be none", async () => {
    expect(await resource("ls")).toEqual({
      code: 0,
      out: "",
      err: "There is no resource yet: make one with serialcast resource set.\n",
    })
  })
})

test("a pipe gets the exact bytes that a pipe gave", async () => {
  const bytes = Uint8Array.from({ length: 40_000 }, (_, at) => (at * 7) & 0xff)
  const setting = spawnCli(["resource", "set", "/photo", "--file", "-", "--broker", brokerUrl])
  setting.child.stdin.end(bytes)
  expect([await setting.exited, setting.stderr.text]).toEqual([0, ""])
  const getting = spawnCli(["resource", "get", "/photo", "--broker", brokerUrl])
  const parts: Uint8Array[] = []
  // The text of spawnCli is decoded; these are not.
  getting.child.stdout.removeAllListeners("data").setEncoding("latin1")
  getting.child.stdout.on("data", (text: string) => parts.push(Buffer.from(text, "latin1")))
  await once(getting.child.stdout, "end")
  expect(await getting.exited).toBe(0)
  expect(Buffer.from(concatBytes(parts)).equals(bytes)).toBe(true)
})

test("each failure is one line, with its exit code", async () => {
  const answer = async (...args: readonly string[]) => {
    const cli = spawnCli(["resource", ...args])
    return [await cli.exited, cli.stderr.text.split("\n")[0], cli.stdout.text]
  }
  expect(await answer("get", "temp\u001b")).toEqual([
    2,
    expect.stringContaining('"temp\\u001b" is no uri of a resource. Begin the URI with a slash.'),
    "",
  ])
  expect(await answer("get", "/none", "--broker", brokerUrl)).toEqual([
    1,
    expect.stringContaining(
      'There is no resource "/none". Use one of the addresses that `serialcast resource ls`',
    ),
    "",
  ])
  expect(await answer("ls", "--broker", "mqtt://127.0.0.1:9")).toEqual([
    1,
    expect.stringContaining("No broker answered at mqtt://127.0.0.1:9 within 5 s"),
    "",
  ])
})

describe("with a server", () => {
  test("what is set is what it serves, and the other way round", async () => {
    const url = await startServer()
    const served = (text: string) =>
      eventually(async () => expect(await (await fetch(`${url}/temp`)).text()).toBe(text))
    await resource("set", "/temp", "21.5", "--methods", "GET,PUT")
    await served("21.5")
    expect((await fetch(`${url}/temp`, { method: "PUT", body: "22" })).status).toBe(204)
    expect(await get("/temp")).toBe("22")
    await resource("set", "/temp", "23")
    await served("23")
    expect((await fetch(`${url}/temp`, { method: "PUT", body: "24" })).status).toBe(204)
    await resource("rm", "/temp")
    await eventually(async () => expect((await fetch(`${url}/temp`)).status).toBe(404))
  })

  test("what is removed stays so, also soon after it was removed before", async () => {
    const url = await startServer()
    const isServed = (status: number) =>
      eventually(async () => expect((await fetch(`${url}/temp`)).status).toBe(status))
    for (const text of ["1", "2"]) {
      await resource("set", "/temp", text)
      await isServed(200)
      await resource("rm", "/temp")
      await isServed(404)
      await expect(resource("get", "/temp")).rejects.toThrow("There is no resource")
    }
  })

  test("one too many is told", async () => {
    await startServer({ maxUri: 1 })
    await resource("set", "/a", "1")
    const { context } = createTestContext()
    const values = { broker: brokerUrl, config: undefined }
    // The server's word ends the wait, however late it is.
    await using kept = await listenToResources(values, topicOf("/b"), context, { quietMs: 60_000 })
    await expect(setWord(kept, parseResource('{"v":"1"}', { uri: "/b" }))).rejects.toThrow(
      '"/b" was taken away again: there is no room for it.',
    )
    expect((await resource("ls", "--json")).out).toMatch(/^\{"uri":"\/a",[^\n]*\n$/)
  })
})
