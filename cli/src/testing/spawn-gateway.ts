import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { createTemporaryFolder } from "@serialcast/testkit"
import { onTestFinished } from "vitest"
import { type SpawnedCli, spawnCli } from "./spawn-cli.ts"

export interface SpawnedGateway {
  readonly cli: SpawnedCli
  readonly mqttUrl: string
}

/** Runs `serialcast up` with these devices, their settings as YAML flow maps. */
export async function spawnGateway(devices: Readonly<Record<string, string>>): Promise<SpawnedGateway> {
  const folder = createTemporaryFolder()
  onTestFinished(() => folder[Symbol.dispose]())
  const file = join(folder.path, "serialcast.yaml")
  const lines = Object.entries(devices).map(([name, settings]) => `  ${name}: ${settings}\n`)
  writeFileSync(file, `devices:\n${lines.join("")}`)
  const cli = spawnCli(["up", "--config", file])
  const [, mqttUrl = ""] = await cli.stdout.find(/MQTT +(mqtt:\S+)/)
  return { cli, mqttUrl }
}
