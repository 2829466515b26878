#pragma once
#include <endian.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

/** Device bytes of unknown place: those that follow the ones before. */
constexpr uint64_t following = UINT64_MAX;

/** What a protocol hears of a connection. */
class Listener {
 public:
  virtual void onOpen() = 0;
  /** `offset` is that of the first byte, or `following`. */
  virtual void onBytes(uint64_t offset, const uint8_t* bytes, size_t count) = 0;
  virtual void answer(const std::string& bytes) = 0;

 protected:
  ~Listener() = default;
};

/** How device bytes travel on a connection. */
class Protocol {
 public:
  virtual ~Protocol() = default;
  /** What the client says first. */
  virtual std::string request() const = 0;
  /** A write of the client, as it goes on the wire. */
  virtual std::string frame(const std::string& bytes) const = 0;
  /** Takes what is complete at the start of `input` and answers its length; 0 when more is needed. */
  virtual size_t take(const uint8_t* input, size_t count, Listener& listener) = 0;
  /** What the client says every 20 s so that it counts as alive. */
  virtual std::string beat() const { return ""; }
};

/** As ser2net serves a port: the bytes, and nothing else. */
class Raw : public Protocol {
 public:
  std::string request() const override { return ""; }
  std::string frame(const std::string& bytes) const override { return bytes; }
  size_t take(const uint8_t* input, size_t count, Listener& listener) override {
    listener.onBytes(following, input, count);
    return count;
  }
};

/** The answer's head: 0 while it is incomplete. Throws for another status than the one expected. */
inline size_t takeHead(const uint8_t* input, size_t count, std::string_view status) {
  const std::string_view text(reinterpret_cast<const char*>(input), count);
  const size_t end = text.find("\r\n\r\n");
  if (end == std::string_view::npos) return 0;
  if (text.substr(9, 3) != status) throw std::runtime_error("refused: " + std::string(text.substr(0, end)));
  return end + 4;
}

/** `serialcast.v1`: binary frames are an offset (8 bytes, big-endian) and bytes; text frames are JSON. */
class WebSocket : public Protocol {
 public:
  explicit WebSocket(std::string target) : target_(std::move(target)) {}

  std::string request() const override {
    return "GET " + target_ +
           " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2VyaWFsY2FzdC1iZW5jaA==\r\n"
           "Sec-WebSocket-Protocol: serialcast.v1\r\n\r\n";
  }

  std::string frame(const std::string& bytes) const override { return encode(binary, bytes); }

  size_t take(const uint8_t* input, size_t count, Listener& listener) override {
    if (!isUpgraded_) {
      const size_t head = takeHead(input, count, "101");
      isUpgraded_ = head > 0;
      return head;
    }
    // RFC 6455 §5.2. A server masks nothing.
    if (count < 2) return 0;
    size_t head = 2;
    uint64_t length = input[1];
    if (length == 126) {
      if (count < (head = 4)) return 0;
      length = input[2] << 8 | input[3];
    } else if (length == 127) {
      if (count < (head = 10)) return 0;
      length = word(input + 2);
    }
    if (count < head + length) return 0;
    onFrame(input[0], input + head, length, listener);
    return head + length;
  }

 private:
  static constexpr uint8_t final = 0x80, text = 1, binary = 2, close = 8, ping = 9, pong = 10;

  static uint64_t word(const uint8_t* at) {
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return be64toh(value);
  }

  /** A client masks; a mask of zeros changes nothing. Up to 125 bytes. */
  static std::string encode(uint8_t opcode, const std::string& payload) {
    if (payload.size() > 125) throw std::runtime_error("a write has at most 125 bytes here");
    std::string frame{static_cast<char>(final | opcode), static_cast<char>(0x80 | payload.size())};
    return frame.append(4, '\0').append(payload);
  }

  void onFrame(uint8_t first, const uint8_t* payload, size_t count, Listener& listener) {
    const std::string content(reinterpret_cast<const char*>(payload), first == (final | binary) ? 0 : count);
    switch (first) {
      case final | binary:
        return listener.onBytes(word(payload), payload + 8, count - 8);
      case final | ping:
        return listener.answer(encode(pong, content));
      case final | text:
        if (content.find(R"("type":"gap")") != std::string::npos || content.find(R"("type":"error")") != std::string::npos)
          throw std::runtime_error(content);
        if (content.find(R"("type":"open")") != std::string::npos) listener.onOpen();
        return;
      default:
        throw std::runtime_error("frame of type " + std::to_string(first) + ": " + content);
    }
  }

  const std::string target_;
  bool isUpgraded_ = false;
};

/** The API's event stream with hex: the id is the cursor after the bytes. HTTP/1.0 spares the chunks of 1.1. */
class EventStream : public Protocol {
 public:
  explicit EventStream(std::string target) : target_(std::move(target)) {}

  std::string request() const override { return "GET " + target_ + " HTTP/1.0\r\nHost: localhost\r\n\r\n"; }
  std::string frame(const std::string&) const override { throw std::runtime_error("an event stream takes no writes"); }

  size_t take(const uint8_t* input, size_t count, Listener& listener) override {
    if (!hasHead_) {
      const size_t head = takeHead(input, count, "200");
      hasHead_ = head > 0;
      return head;
    }
    const void* end = memmem(input, count, "\n\n", 2);
    if (end == nullptr) return 0;
    const size_t length = static_cast<const uint8_t*>(end) + 2 - input;
    onEvent({reinterpret_cast<const char*>(input), length}, listener);
    return length;
  }

 private:
  static std::string_view field(std::string_view event, std::string_view name) {
    const size_t at = event.find(name);
    if (at == std::string_view::npos) return {};
    return event.substr(at + name.size(), event.find('\n', at) - at - name.size());
  }

  static uint8_t digit(char character) { return character <= '9' ? character - '0' : character - 'A' + 10; }

  void onEvent(std::string_view event, Listener& listener) {
    const std::string_view kind = field(event, "event: ");
    if (kind == "open") return listener.onOpen();
    if (kind == "gap" || kind == "error") throw std::runtime_error(std::string(event));
    if (kind != "bytes") return;
    const std::string_view hex = field(event, "data: ");
    const std::string_view cursor = field(event, "id: ");
    std::string bytes(hex.size() / 2, '\0');
    for (size_t at = 0; at < bytes.size(); at++) bytes[at] = digit(hex[2 * at]) << 4 | digit(hex[2 * at + 1]);
    const uint64_t end = std::stoull(std::string(cursor.substr(cursor.find('-') + 1)));
    listener.onBytes(end - bytes.size(), reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  }

  const std::string target_;
  bool hasHead_ = false;
};

/** MQTT 3.1.1: a subscriber with QoS 0 to one topic of bare bytes. */
class Mqtt : public Protocol {
 public:
  explicit Mqtt(std::string topic) : topic_(std::move(topic)) {}

  /** CONNECT with a clean session, no client id and a keep-alive of 60 s, and SUBSCRIBE right behind it. */
  std::string request() const override {
    const std::string connect = text("MQTT") + std::string("\x04\x02\x00\x3c", 4) + text("");
    const std::string subscribe = std::string("\x00\x01", 2) + text(topic_) + std::string(1, '\0');
    return packet(0x10, connect) + packet(0x82, subscribe);
  }

  std::string frame(const std::string&) const override { throw std::runtime_error("a subscriber takes no writes"); }
  std::string beat() const override { return packet(0xc0, ""); }

  size_t take(const uint8_t* input, size_t count, Listener& listener) override {
    // Remaining length: seven bits in each byte, the lowest first (2.2.3).
    size_t length = 0;
    size_t head = 1;
    for (int shift = 0;; shift += 7) {
      if (count <= head) return 0;
      length |= static_cast<size_t>(input[head] & 0x7f) << shift;
      if ((input[head++] & 0x80) == 0) break;
    }
    if (count < head + length) return 0;
    onPacket(input[0], input + head, length, listener);
    return head + length;
  }

 private:
  static constexpr uint8_t connack = 0x20, publish = 0x30, suback = 0x90, pingresp = 0xd0;

  static std::string text(const std::string& value) {
    return std::string{static_cast<char>(value.size() >> 8), static_cast<char>(value.size())} + value;
  }

  static std::string packet(uint8_t type, const std::string& content) {
    if (content.size() > 127) throw std::runtime_error("a topic has at most 122 characters here");
    return std::string{static_cast<char>(type), static_cast<char>(content.size())} + content;
  }

  void onPacket(uint8_t type, const uint8_t* content, size_t count, Listener& listener) {
    const bool isRefused = (type == connack || type == suback) && (count == 0 || content[count - 1] != 0);
    if (isRefused) throw std::runtime_error(type == connack ? "CONNECT was refused" : "SUBSCRIBE was refused");
    if (type == suback) return listener.onOpen();
    if (type == connack || type == pingresp) return;
    const size_t skipped = count < 2 ? 2 : 2 + (content[0] << 8 | content[1]);
    if (type != publish || count < skipped) throw std::runtime_error("packet of type " + std::to_string(type));
    listener.onBytes(following, content + skipped, count - skipped);
  }

  const std::string topic_;
};

inline std::unique_ptr<Protocol> createProtocol(const std::string& name, const std::string& target) {
  if (name == "raw") return std::make_unique<Raw>();
  if (name == "websocket") return std::make_unique<WebSocket>(target);
  if (name == "sse") return std::make_unique<EventStream>(target);
  if (name == "mqtt") return std::make_unique<Mqtt>(target);
  throw std::runtime_error("no protocol " + name);
}
