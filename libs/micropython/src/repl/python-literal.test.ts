import { expect, test } from "vitest"
import { bytesLiteral, textLiteral } from "./python-literal.ts"

test.each([
  ["main.py", "'main.py'"],
  ["it's", "'it\\x27s'"],
  ["back\\slash", "'back\\x5cslash'"],
  ["é", "b'\\xc3\\xa9'.decode()"],
  ["a\nb", "b'a\\x0ab'.decode()"],
  ["'+__import__('os').remove('x')+'", "'\\x27+__import__(\\x27os\\x27).remove(\\x27x\\x27)+\\x27'"],
])("%j is written as %s", (text, literal) => {
  expect(textLiteral(text)).toBe(literal)
})

test("bytes of all values are written in printable ASCII", () => {
  const literal = bytesLiteral(Uint8Array.from({ length: 256 }, (_, value) => value))
  expect(literal).toMatch(/^b'[ -~]*'$/)
  expect(literal.match(/(?<!\\)'/g)).toHaveLength(2)
})
