import { afterAll, beforeAll, expect, test } from "vitest"
import { type ComposeStack, dialoutGroup, startComposeStack } from "./compose-stack.ts"
import { type ConfigDir, createConfigDir } from "./config-dir.ts"
import { run } from "./program.ts"

const longRunning = [
  "broker",
  "console",
  "http-gateway",
  "resource-server",
  "serial-agent",
  "tcp-tunnel",
  "webrepl",
]
let configDir: ConfigDir
let stack: ComposeStack

beforeAll(async () => {
  configDir = await createConfigDir()
  stack = await startComposeStack(configDir.path)
})

afterAll(async () => {
  await stack?.[Symbol.asyncDispose]()
  await configDir[Symbol.asyncDispose]()
})

async function consoleUrl(path: string): Promise<string> {
  return `http://127.0.0.1:${await stack.hostPort("console", 8080)}${path}`
}

test("every service is healthy with no configuration and no device", async () => {
  const services = (await stack.compose("ps", "--format", "{{.Service}} {{.Health}}")).trim().split("\n")
  expect(services.sort()).toEqual(longRunning.map((service) => `${service} healthy`))
})

test("every container is unprivileged: no root, no capability, nothing to write to", async () => {
  const containers = await stack.inspect()
  expect([...containers.keys()].sort()).toEqual([...longRunning, "init"].sort())
  for (const { Config, HostConfig } of containers.values()) {
    expect(Config.User).toBe("1000:1000")
    expect(HostConfig).toMatchObject({ ReadonlyRootfs: true, Privileged: false, CapDrop: ["ALL"] })
  }
})

test("only the agent sees the machine's devices, and it may open serial ports alone", async () => {
  for (const [service, { HostConfig, Mounts }] of await stack.inspect()) {
    const isAgent = service === "serial-agent"
    const rules = ["c 188:* rw", "c 166:* rw", "c 204:* rw", "c 207:* rw", "c 216:* rw"]
    expect(HostConfig.DeviceCgroupRules, service).toEqual(isAgent ? rules : null)
    expect(HostConfig.GroupAdd, service).toEqual(isAgent ? [String(dialoutGroup)] : null)
    const devices = Mounts.filter(({ Destination }) => Destination.startsWith("/dev"))
    const tree = { Type: "bind", Source: "/dev", Destination: "/dev", RW: false }
    expect(devices, service).toEqual(isAgent ? [expect.objectContaining(tree)] : [])
    const hidden = ["/dev/pts", "/dev/shm"]
    expect(Object.keys(HostConfig.Tmpfs).sort(), service).toEqual([...(isAgent ? hidden : []), "/tmp"])
  }
})

test("the link that init prints logs a browser in", async () => {
  expect(stack.readyLink.host).toBe("localhost:8080")
  const login = await fetch(await consoleUrl(`/${stack.readyLink.search}`), { redirect: "manual" })
  expect(login.status).toBe(303)
  expect(login.headers.get("Set-Cookie")).toContain("HttpOnly")
  const page = await fetch(new URL(login.headers.get("Location") ?? "", await consoleUrl("/")))
  expect(await page.text()).toContain("<title>Serialcast</title>")
  const wrong = await fetch(await consoleUrl("/?token=wrong"), { redirect: "manual" })
  expect(wrong.status).toBe(401)
  expect(wrong.headers.get("Set-Cookie")).toBeNull()
})

test("HTTP needs the token, and then offers the simulated devices", async () => {
  const url = `http://127.0.0.1:${await stack.hostPort("http-gateway", 8081)}/api/v1/devices`
  expect((await fetch(url)).status).toBe(401)
  const response = await fetch(url, { headers: { Authorization: `Bearer ${stack.token}` } })
  // Real ports of this machine are listed as well.
  const devices = ["demo-echo", "demo-micropython", "demo-sensor"].map((device) =>
    expect.objectContaining({ device, online: true }),
  )
  expect(await response.json()).toEqual({ devices: expect.arrayContaining(devices) })
})

test("the simulated board has files, with nothing to write to in its container", async () => {
  const port = await stack.hostPort("http-gateway", 8081)
  const url = `http://127.0.0.1:${port}/api/v1/devices/local/demo-micropython/files/main.py`
  const headers = { Authorization: `Bearer ${stack.token}` }
  const stored = await fetch(url, { method: "PUT", body: "print(1)\n", headers })
  expect(stored.status, await stored.text()).toBe(200)
  expect(await (await fetch(url, { headers })).text()).toBe("print(1)\n")
})

test("MQTT needs the token as the password", async () => {
  const port = String(await stack.hostPort("broker", 1883))
  const subscribe = ["-p", port, "-t", "serialcast/local/status", "-C", "1", "-W", "10"]
  await expect(run("mosquitto_sub", subscribe)).rejects.toThrow("not authorised")
  const login = [...subscribe, "-u", "me", "-P"]
  await expect(run("mosquitto_sub", [...login, "wrong"])).rejects.toThrow("bad user name or password")
  const status = await run("mosquitto_sub", [...login, stack.token])
  expect(JSON.parse(status)).toMatchObject({ online: true })
})

test("a later start keeps the token", async () => {
  expect(await stack.compose("run", "--rm", "init")).toContain(stack.readyLink.href)
})
