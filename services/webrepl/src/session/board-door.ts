import { AppError } from "@serialcast/contract"
import type { DeviceClient } from "@serialcast/device-stream"
import type { Clock } from "@serialcast/primitives"
import {
  type AttemptLimiter,
  createAttemptLimiter,
  type DeviceAway,
  networkOf,
  type Refusals,
  untilKnown,
} from "@serialcast/service-kit"
import type { BoardUse, UseBoard, UsedBoard } from "../file-channel/board-files.ts"
import type { Version } from "../file-channel/file-server.ts"
import type { FirmwareVersion } from "../from-board/firmware-version.ts"
import type { PasswordCheck } from "../login/password-check.ts"
import { type Role, Seats, type SeatsOptions } from "./seats.ts"
import { Transfers } from "./transfers.ts"

export interface BoardDoorOptions {
  /** `<gateway>/<device>` */
  readonly address: string
  readonly devices: DeviceClient
  readonly clock: Clock
  readonly isPassword: PasswordCheck
  readonly seats: SeatsOptions
  readonly away: Pick<DeviceAway, "problem">
  readonly useBoard: UseBoard
  readonly firmware: FirmwareVersion
  readonly refusals: Refusals
}

/** One board as its clients find it: who may come in, who has a place, what they share. */
export class BoardDoor {
  readonly address: string
  readonly devices: DeviceClient
  readonly clock: Clock
  readonly seats: Seats
  readonly transfers = new Transfers()
  readonly away: Pick<DeviceAway, "problem">
  readonly #options: BoardDoorOptions
  readonly #limiter: AttemptLimiter

  constructor(options: BoardDoorOptions) {
    this.#options = options
    this.address = options.address
    this.devices = options.devices
    this.clock = options.clock
    this.seats = new Seats(options.seats)
    this.away = options.away
    this.#limiter = createAttemptLimiter({ clock: options.clock })
  }

  /**
   * Whether a password is the right one. Ten wrong ones of an address in a minute, and it has to wait: passwords may be short
   * here, so that the right one does not count then either.
   */
  admits(password: Uint8Array, address: string | undefined): boolean {
    const { isPassword, refusals } = this.#options
    const source = networkOf(address)
    if (this.#limiter.isBlocked(source)) {
      refusals.report(
        address,
        new AppError("too_many_attempts", "This address has sent too many wrong passwords."),
      )
      return false
    }
    if (isPassword(password)) return true
    this.#limiter.recordFailure(source)
    refusals.report(
      address,
      new AppError("unauthorized", `Expected the password of ${this.address}; found another one.`),
    )
    return false
  }

  /** Somebody came who gets no place. */
  reportBusy(address: string | undefined): void {
    const error = new AppError("overloaded", `${this.address} is in use by another client.`)
    this.#options.refusals.report(address, error)
  }

  /** What is known of the firmware without asking the board; null: nothing. */
  version(): Version | null {
    return this.#options.firmware.version
  }

  /** Has the board, for somebody in this role. Throws as `UseBoard`. */
  async use<T>(role: Role, use: BoardUse, work: (board: UsedBoard) => Promise<T>): Promise<T> {
    const { useBoard, firmware } = this.#options
    if (role === "watcher") throw new AppError("leased", "Another client has the board; this one watches.")
    return await useBoard(use, (board) => {
      if (board.version !== null) firmware.learn(board.version)
      return work(board)
    })
  }

  /** Resolves when a gateway has announced the device, or `signal` is aborted. */
  untilKnown(signal: AbortSignal): Promise<void> {
    return untilKnown(this.devices, this.address, signal)
  }
}
