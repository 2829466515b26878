import type { BrokerClient, Message } from "@serialcast/broker-client"
import {
  AppError,
  decodeReply,
  encodeCall,
  type GatewayStatus,
  gatewayStatusSchema,
  parseJsonPayload,
} from "@serialcast/contract"
import { type Clock, createDeferred, delay } from "@serialcast/primitives"
import { encodeJson } from "./json.ts"

const barrierMs = 5_000
const quietMs = 100
const answerMs = 2_000

export interface GatewayNameOptions {
  readonly gateway: string
  readonly instance: string
  readonly clock: Clock
  /** Whatever comes on the topic of the status. */
  readonly onHeard: (message: Message) => void
  /** Another agent just said that it is this gateway; `isStronger` when it is the one of both that stays. */
  readonly onRival: (isStronger: boolean) => void
}

export interface GatewayName {
  /** Throws `gateway_name_taken` when another live agent has this name. To be called once a connection stands. */
  claim(): Promise<void>
}

/** Watches the retained status of `gateway` for another `instance` than this one. */
export async function watchGatewayName(
  broker: BrokerClient,
  { gateway, instance, clock, onHeard, onRival }: GatewayNameOptions,
): Promise<GatewayName> {
  let rival: string | null = null
  await broker.subscribe(broker.topics.status(gateway), (message) => {
    const { payload, retained } = message
    onHeard(message)
    const status = parseJsonPayload(gatewayStatusSchema, payload)
    rival = rivalOf(status)
    // What the broker kept may be of an agent that is dead: the claim asks. Of two that live the smaller one stays,
    // by an order on which both agree without asking.
    if (rival !== null && !retained) onRival(rival < instance)
  })
  return {
    async claim() {
      // What the broker kept was on its way before this message was sent; aedes lets newer messages overtake it a
      // little, so that quiet is waited for too.
      const id = crypto.randomUUID()
      const destination = broker.topics.reply(broker.clientId)
      await broker.request({ id, destination, payload: encodeCall({ id, ok: true }), timeoutMs: barrierMs })
      await delay(clock, quietMs)
      // A broker that died with its agent keeps a status that nobody holds any more: only an answer counts.
      if (rival === null || !(await hearsFromRival())) return
      throw new AppError("gateway_name_taken", `Another agent on this broker is gateway ${gateway} already.`)
    },
  }

  function rivalOf(status: GatewayStatus | undefined): string | null {
    return status?.online === true && status.instance !== instance ? status.instance : null
  }

  async function hearsFromRival(): Promise<boolean> {
    const heard = createDeferred<boolean>()
    const forget = broker.onReply((payload) => {
      const answer = decodeReply(payload)
      if (answer === undefined || !("reply" in answer) || answer.reply["gateway"] !== gateway) return
      const status = gatewayStatusSchema.safeParse(answer.reply["status"]).data
      if (rivalOf(status) !== null) heard.resolve(true)
    })
    using _timer = clock.startTimer(answerMs, () => heard.resolve(false))
    try {
      await broker.publish(broker.topics.discover(), encodeJson({ client: broker.clientId }))
      return await heard.promise
    } finally {
      forget()
    }
  }
}
