import { expect, test } from "vitest"
import { RecordingPort } from "../testing/recording-port.ts"
import { refused, startWrites } from "../testing/start-writes.ts"

test("a write that came in before the lease was taken is refused when its turn comes", async () => {
  const { port, submit, lease } = startWrites()
  port.hold()
  const first = submit(Uint8Array.of(1))
  const late = submit(Uint8Array.of(2))
  const { token } = lease.take({ by: "ann", ttlMs: 1_000, steal: false })
  const anns = submit(Uint8Array.of(3), { client: "ann", lease: token })
  port.release()
  await first
  await expect(late).rejects.toEqual(refused("leased"))
  await anns
  expect(port.bytes).toEqual(Uint8Array.of(1, 3))
})

test("a holder that was stopped past its time never reaches the device, not even when nobody holds it", async () => {
  const { clock, port, submit, lease, refusals } = startWrites()
  const { token } = lease.take({ by: "ann", ttlMs: 1_000, steal: false })
  await submit(Uint8Array.of(1), { lease: token })
  clock.advance(1_000)
  await expect(submit(Uint8Array.of(2), { lease: token })).rejects.toEqual(refused("lease_lost"))
  const { token: bobs } = lease.take({ by: "bob", ttlMs: 1_000, steal: false })
  await expect(submit(Uint8Array.of(3), { lease: token })).rejects.toEqual(refused("lease_lost"))
  await expect(submit(Uint8Array.of(4))).rejects.toEqual(refused("leased"))
  await submit(Uint8Array.of(5), { lease: bobs })
  expect(port.bytes).toEqual(Uint8Array.of(1, 5))
  expect(await refusals()).toMatchObject([{ code: "lease_lost" }, { code: "lease_lost" }, { code: "leased" }])
})

test("a lease outlives a replug", async () => {
  const { turns, submit, lease } = startWrites()
  const { token } = lease.take({ by: "ann", ttlMs: 1_000, steal: false })
  turns.detach()
  const replugged = new RecordingPort()
  turns.attach(replugged, 2)
  await expect(submit(Uint8Array.of(1))).rejects.toEqual(refused("leased"))
  await submit(Uint8Array.of(2), { lease: token })
  expect(replugged.bytes).toEqual(Uint8Array.of(2))
})
