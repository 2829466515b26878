import { expect, test } from "vitest"
import { matchesFilter } from "./matches-filter.ts"

// The examples of MQTT 3.1.1 §4.7.1.
test.each([
  ["sport/tennis/player1", "sport/tennis/player1"],
  ["sport/tennis/player1/#", "sport/tennis/player1"],
  ["sport/tennis/player1/#", "sport/tennis/player1/ranking"],
  ["sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon"],
  ["#", "sport/tennis"],
  ["sport/tennis/+", "sport/tennis/player1"],
  ["sport/+", "sport/"],
  ["+/+", "/finance"],
  ["/+", "/finance"],
])("%s takes %s", (filter, topic) => expect(matchesFilter(filter, topic)).toBe(true))

test.each([
  ["sport/tennis/player1", "sport/tennis/player2"],
  ["sport/tennis/player1/#", "sport/tennis/player2"],
  ["sport/tennis/+", "sport/tennis/player1/ranking"],
  ["sport/+", "sport"],
  ["+", "/finance"],
  ["sport/+/player1", "sport/tennis"],
])("%s does not take %s", (filter, topic) => expect(matchesFilter(filter, topic)).toBe(false))
