import { DELETE, GET, POST, PUT } from "../table/resource.ts"
import type { ResourceMethod } from "./request.ts"

/** The bit of `methods` that a method needs: HEAD is as good as GET. */
export const methodBits: Readonly<Record<ResourceMethod, number>> = { GET, HEAD: GET, PUT, POST, DELETE }

const names = Object.keys(methodBits) as ResourceMethod[]

/** The `Allow` header (RFC 9110 §10.2.1) of a resource that takes these. */
export function allowOf(methods: number): string {
  return [...names.filter((name) => (methods & methodBits[name]) !== 0), "OPTIONS"].join(", ")
}

/** What a resource may take; undefined: no resource takes it. */
export function resourceMethodOf(method: string): ResourceMethod | undefined {
  return names.find((name) => name === method)
}
