import { randomBytes } from "node:crypto"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { run } from "./program.ts"

const repository = fileURLToPath(new URL("../..", import.meta.url))
const files = ["-f", join(repository, "docker-compose.yml"), "-f", join(repository, "e2e/compose.e2e.yml")]
// The first build installs every dependency; starting takes seconds.
const buildTimeoutMs = 480_000
const startTimeoutMs = 90_000
/** The group that may use the ports of the tests. No image knows it, so only the setting lets the agent in. */
export const dialoutGroup = 47_110

/** The shipped compose file, running as a project of its own: with its own images, network, volume and free ports. */
export interface ComposeStack extends AsyncDisposable {
  /** The link that init printed. */
  readonly readyLink: URL
  readonly token: string
  /** `docker compose …` on this stack; answers its standard output. */
  compose(...args: readonly string[]): Promise<string>
  /** The address on this machine of a container's port. */
  hostPort(service: string, port: number): Promise<number>
  /** What `docker inspect` says about every container, by service. */
  inspect(): Promise<ReadonlyMap<string, Inspected>>
  /** Names of what the engine has of this project: containers, networks, volumes, images. */
  leftovers(): Promise<readonly string[]>
}

/** The part of `docker inspect` that tests look at. */
export interface Inspected {
  readonly RestartCount: number
  readonly State: { readonly StartedAt: string; readonly ExitCode: number; readonly Status: string }
  readonly Config: { readonly User: string; readonly Labels: Readonly<Record<string, string>> }
  readonly HostConfig: {
    readonly ReadonlyRootfs: boolean
    readonly Privileged: boolean
    readonly CapDrop: readonly string[]
    readonly GroupAdd: readonly string[] | null
    readonly DeviceCgroupRules: readonly string[] | null
    readonly Tmpfs: Readonly<Record<string, string>>
  }
  readonly Mounts: readonly {
    readonly Type: string
    readonly Source: string
    readonly Destination: string
    readonly RW: boolean
  }[]
}

/** Builds and starts a stack and waits until it is healthy. `configDir` is where serialcast.yaml may be. */
export async function startComposeStack(configDir: string): Promise<ComposeStack> {
  await requireDocker()
  const project = `serialcast-e2e-${randomBytes(4).toString("hex")}`
  const compose = (args: readonly string[], timeoutMs = 60_000) =>
    run("docker", ["compose", "-p", project, ...files, ...args], {
      timeoutMs,
      env: { SERIALCAST_CONFIG_DIR: configDir, SERIALCAST_DIALOUT_GID: String(dialoutGroup) },
    })
  const down = () => compose(["down", "--volumes", "--rmi", "local", "--timeout", "10"])
  try {
    await compose(["--progress", "plain", "build"], buildTimeoutMs)
    await compose(["up", "--detach", "--wait"], startTimeoutMs)
    const readyLink = readyLinkOf(await compose(["logs", "--no-log-prefix", "init"]))
    const token = readyLink.searchParams.get("token") ?? ""
    return {
      readyLink,
      token,
      compose: (...args) => compose(args),
      hostPort: async (service, port) => portOf(await compose(["port", service, String(port)])),
      inspect: async () => inspect(await compose(["ps", "--all", "--quiet"])),
      leftovers: () => leftovers(project),
      async [Symbol.asyncDispose]() {
        await down()
      },
    }
  } catch (error) {
    const logs = await compose(["logs", "--no-color", "--tail", "40"]).catch(String)
    const removed = await down().catch(String)
    throw new Error(`The stack did not start.\n${logs}\n${removed}`, { cause: error })
  }
}

async function requireDocker(): Promise<void> {
  try {
    await run("docker", ["info"])
    await run("docker", ["compose", "version"])
  } catch (cause) {
    const text =
      "The container tests need a running Docker Engine with Compose 2.24.4 or later, which this user may use: " +
      "https://docs.docker.com/engine/install/"
    throw new Error(text, { cause })
  }
}

function readyLinkOf(log: string): URL {
  const link = /http:\/\/\S+\?token=\S+/.exec(log)?.[0]
  if (link === undefined) throw new Error(`Expected a ready link in the log of init, found: ${log}`)
  return new URL(link)
}

/** Of `127.0.0.1:32768`. */
function portOf(address: string): number {
  return Number(address.trim().split(":").at(-1))
}

async function inspect(ids: string): Promise<ReadonlyMap<string, Inspected>> {
  const found = JSON.parse(await run("docker", ["inspect", ...ids.trim().split("\n")])) as Inspected[]
  return new Map(found.map((one) => [one.Config.Labels["com.docker.compose.service"] ?? "", one]))
}

async function leftovers(project: string): Promise<readonly string[]> {
  const filter = ["--filter", `label=com.docker.compose.project=${project}`]
  const lists = await Promise.all([
    run("docker", ["ps", "--all", ...filter, "--format", "{{.Names}}"]),
    run("docker", ["network", "ls", ...filter, "--format", "{{.Name}}"]),
    run("docker", ["volume", "ls", ...filter, "--format", "{{.Name}}"]),
    run("docker", ["image", "ls", `${project}-*`, "--format", "{{.Repository}}"]),
  ])
  return lists.join("").split("\n").filter(Boolean)
}
