import type { Row } from "../row.ts"
import { amplification } from "./amplification.ts"
import { boards } from "./boards.ts"
import { catchUp } from "./catch-up.ts"
import { clients } from "./clients.ts"
import { diskBounds } from "./disk-bounds.ts"
import { echo } from "./echo.ts"
import { eventStreams } from "./event-streams.ts"
import { flood } from "./flood.ts"
import { frozen } from "./frozen.ts"
import { hangUp } from "./hang-up.ts"
import { hostile } from "./hostile.ts"
import { idle } from "./idle.ts"
import { manyDevices } from "./many-devices.ts"
import { rawEcho } from "./raw-echo.ts"
import { rawFlood } from "./raw-flood.ts"
import { rawFrozen } from "./raw-frozen.ts"
import { rawToDevice } from "./raw-to-device.ts"
import { resources } from "./resources.ts"
import { restart } from "./restart.ts"
import { rfc2217Open } from "./rfc2217-open.ts"
import { serialtcp } from "./serialtcp.ts"

/** In the order in which they run. */
export const rows: readonly Row[] = [
  flood,
  echo,
  eventStreams,
  manyDevices,
  frozen,
  catchUp,
  idle,
  restart,
  amplification,
  rawEcho,
  rawFlood,
  rawToDevice,
  rawFrozen,
  rfc2217Open,
  serialtcp,
  boards,
  resources,
  hangUp,
  clients,
  diskBounds,
  hostile,
]
