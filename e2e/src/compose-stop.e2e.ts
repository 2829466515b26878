import { expect, test } from "vitest"
import { startComposeStack } from "./compose-stack.ts"
import { createConfigDir } from "./config-dir.ts"

test("every service stops by itself, within 5 s, also while it still loads, and nothing is left after down", async () => {
  await using configDir = await createConfigDir()
  await using stack = await startComposeStack(configDir.path)
  const startMs = performance.now()
  await stack.compose("stop")
  expect(performance.now() - startMs).toBeLessThan(5_000)
  for (const [service, { State }] of await stack.inspect()) {
    expect(State, service).toMatchObject({ Status: "exited", ExitCode: 0 })
  }
  // The one that was just started has not loaded its modules yet.
  await stack.compose("start", "tcp-tunnel")
  const againMs = performance.now()
  await stack.compose("stop", "tcp-tunnel")
  expect(performance.now() - againMs).toBeLessThan(5_000)
  await stack.compose("down", "--volumes", "--rmi", "local")
  expect(await stack.leftovers()).toEqual([])
})
