import type { ServerResponse } from "node:http"
import { type ByteAccount, ByteBudget } from "@serialcast/primitives"
import { networkOf } from "@serialcast/service-kit"

const mebibyte = 1024 * 1024

/** Of all bodies together, and as much of all answers of histories. */
const totalBytes = 64 * mebibyte

/**
 * What each request may hold in any case, so that no crowd of large ones keeps a small one out: 64 KiB, and what they take in
 * a queue. Of 4,096 connections each has one request at a time, which bounds what small ones take.
 */
const freeBytes = 82 * 1024

/** What requests hold in memory, each address within its share. */
export interface HeldMemory {
  /** Of a request, until its response is closed. */
  open(response: ServerResponse): ByteAccount
}

export function createHeldMemory(): HeldMemory {
  const budget = new ByteBudget({ totalBytes, freeBytes })
  return {
    open(response) {
      const account = budget.open(networkOf(response.req.socket.remoteAddress))
      response.once("close", () => account[Symbol.dispose]())
      return account
    },
  }
}
