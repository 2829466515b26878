export {
  after,
  chunkFrom,
  chunkUntil,
  comparePositions,
  endOf,
  joins,
  type Position,
  startOf,
} from "./position.ts"
export { costAsObject, costOf } from "./record-cost.ts"
export { RecordRing } from "./record-ring.ts"
