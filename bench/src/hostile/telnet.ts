import type { Choices } from "./choices.ts"
import { type Surface, several } from "./surface.ts"

const iac = 0xff
const subBegin = 0xfa
const subEnd = 0xf0
const verbs = [0xfb, 0xfc, 0xfd, 0xfe]
const options = [0, 1, 3, 24, 31, 34, 44, 255]
/** COM-PORT (RFC 2217), of which 0 to 12 are what clients ask. */
const comPort = 44

/** Streams of telnet commands and of RFC 2217's requests, right and wrong, with data between them. */
export function hostileTelnet(ports: readonly number[]): Surface {
  return {
    name: "telnet",
    next: (choices) => ({
      port: choices.pick(ports),
      inputs: several(choices, 150, () => piece(choices)),
    }),
  }
}

function piece(choices: Choices): Uint8Array {
  const made = whole(choices)
  return choices.chance(0.1) ? choices.mutateBytes(made) : made
}

function whole(choices: Choices): Uint8Array {
  switch (choices.below(7)) {
    case 0:
      return choices.bytes(choices.chance(0.01) ? 20_000 : 200)
    case 1:
      return Uint8Array.of(iac, choices.pick(verbs), choices.pick(options))
    case 2:
      return Uint8Array.of(iac, choices.below(256))
    case 3:
      return Uint8Array.of(iac, subBegin, choices.pick(options), ...choices.bytes(100), iac, subEnd)
    case 4:
      return Uint8Array.of(iac, subBegin, comPort, choices.below(256), ...choices.bytes(8))
    default:
      return Uint8Array.of(iac, subBegin, comPort, ...request(choices), iac, subEnd)
  }
}

function request(choices: Choices): number[] {
  const command = choices.below(13)
  // SET-BAUDRATE has four bytes; the others have one, or text (signature).
  const value = command === 1 ? [0, 0, choices.below(256), choices.below(256)] : [choices.below(16)]
  return [command, ...(choices.chance(0.9) ? value : choices.bytes(10))].flatMap((byte) =>
    byte === iac ? [iac, iac] : [byte],
  )
}
