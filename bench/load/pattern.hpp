#pragma once
#include <endian.h>

#include <cstdint>
#include <cstring>
#include <vector>

// The counting pattern, as countingBytes of libs/testkit makes it: the stream of all 8-byte big-endian words, word k = k.
namespace pattern {

inline void fill(uint64_t offset, uint8_t* out, size_t count) {
  const size_t skip = offset % 8;
  size_t at = 0;
  if (skip != 0) {
    const uint64_t word = htobe64(offset / 8);
    at = std::min(count, 8 - skip);
    memcpy(out, reinterpret_cast<const uint8_t*>(&word) + skip, at);
  }
  for (uint64_t next = (offset + at) / 8; at < count; at += 8, next++) {
    const uint64_t word = htobe64(next);
    memcpy(out + at, &word, std::min<size_t>(8, count - at));
  }
}

inline bool fits(uint64_t offset, const uint8_t* bytes, size_t count) {
  static std::vector<uint8_t> expected;
  if (expected.size() < count) expected.resize(count);
  fill(offset, expected.data(), count);
  return memcmp(expected.data(), bytes, count) == 0;
}

}  // namespace pattern
