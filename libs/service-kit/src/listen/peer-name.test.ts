import { expect, test } from "vitest"
import { peerName } from "./peer-name.ts"

test.each([
  ["10.0.0.7", "10.0.0.7:5000"],
  ["::ffff:10.0.0.7", "10.0.0.7:5000"],
  ["fd00::7", "[fd00::7]:5000"],
])("a client at %s is %s", (remoteAddress, name) => {
  expect(peerName({ remoteAddress, remotePort: 5_000 })).toBe(name)
})
