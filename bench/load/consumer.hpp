#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <utility>

#include "delays.hpp"
#include "device.hpp"
#include "protocol.hpp"

/** Round trips: each starts `pauseNs` after the one before has ended. */
struct Echo {
  uint64_t count;
  uint64_t bytes;
  int64_t pauseNs;
};

/** A client of a gateway that reads one device, checks every byte, and notes when it came. */
class Consumer : private Listener {
 public:
  Consumer(Loop& loop, std::unique_ptr<Protocol> protocol, int port, const Device& device, Delays& delays)
      : loop_(loop), protocol_(std::move(protocol)), device_(device), delays_(delays) {
    fd_ = need(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    const int noDelay = 1;
    need(setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &noDelay, sizeof noDelay), "setsockopt");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    need(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), "connect");
    need(fcntl(fd_, F_SETFL, O_NONBLOCK), "fcntl");
    answer(protocol_->request());
    loop_.watch(fd_, EPOLLIN, [this](uint32_t) { onReady(); });
  }

  /** `done` is called once the stream stands; at once where the protocol says nothing of it. */
  void whenOpen(std::function<void()> done) {
    if (isOpen_ || protocol_->request().empty()) return done();
    opened_ = std::move(done);
    progressNs_ = nowNs();
  }

  /** `done` is called when the byte before `offset` is here. */
  void whenAt(uint64_t offset, std::function<void()> done) {
    if (next_ != following && next_ >= offset) return done();
    wanted_ = offset;
    reached_ = std::move(done);
    progressNs_ = nowNs();
  }

  void echo(const Echo& echo, std::function<void()> done) {
    echo_ = echo;
    reached_ = std::move(done);
    progressNs_ = nowNs();
    writeNext();
  }

  /** Stops reading, and keeps the connection. */
  void freeze() {
    if (std::exchange(isReading_, false)) loop_.forget(fd_);
  }

  void close() {
    freeze();
    ::close(fd_);
  }

  void checkStall() {
    if ((reached_ || opened_) && nowNs() - progressNs_ > stallNs)
      fail("nothing came for 30 s; the next byte is " + (next_ == following ? "the first" : std::to_string(next_)));
  }

  /** What was wrong; empty when nothing was. */
  const std::string& fault() const { return fault_; }

 private:
  void onReady() {
    try {
      receive();
    } catch (const std::exception& error) {
      fail(error.what());
    }
  }

  void fail(const std::string& fault) {
    fault_ = fault;
    freeze();
    finish(reached_);
    finish(opened_);
  }

  void receive() {
    if (held_ == input_.size()) input_.resize(std::max<size_t>(16'384, input_.size() * 2));
    const ssize_t count = read(fd_, input_.data() + held_, input_.size() - held_);
    if (count < 0 && errno == EAGAIN) return;
    if (count < 0) throw systemError("connection");
    if (count == 0) throw std::runtime_error("the gateway closed the connection");
    progressNs_ = nowNs();
    held_ += count;
    size_t at = 0;
    while (const size_t taken = at < held_ ? protocol_->take(input_.data() + at, held_ - at, *this) : 0) at += taken;
    memmove(input_.data(), input_.data() + at, held_ - at);
    held_ -= at;
  }

  void onOpen() override {
    isOpen_ = true;
    finish(opened_);
  }

  void onBytes(uint64_t offset, const uint8_t* bytes, size_t count) override {
    if (count == 0) return;
    if (next_ == following) next_ = offset == following ? 0 : offset;
    if (offset != following && offset != next_)
      throw std::runtime_error("expected offset " + std::to_string(next_) + ", found " + std::to_string(offset));
    next_ += count;
    if (echo_.count > 0) return onEcho(bytes, count);
    if (!pattern::fits(next_ - count, bytes, count))
      throw std::runtime_error("a byte from offset " + std::to_string(next_ - count) + " on is not the device's");
    // The oldest of them waited longest.
    if (const int64_t dueNs = device_.dueNs(next_ - count)) delays_.add(progressNs_ - dueNs);
    if (next_ >= wanted_) finish(reached_);
  }

  void writeNext() {
    echoed_.clear();
    sent_.resize(echo_.bytes);
    pattern::fill(echo_.count * 8, reinterpret_cast<uint8_t*>(sent_.data()), sent_.size());
    sentNs_ = nowNs();
    answer(protocol_->frame(sent_));
  }

  void onEcho(const uint8_t* bytes, size_t count) {
    echoed_.append(reinterpret_cast<const char*>(bytes), count);
    if (echoed_.size() < sent_.size()) return;
    if (echoed_ != sent_) throw std::runtime_error("the echo differs from what was written");
    delays_.add(progressNs_ - sentNs_);
    if (--echo_.count == 0) return finish(reached_);
    loop_.at(progressNs_ + echo_.pauseNs, [this] { writeNext(); });
  }

  /** What a client says is short: it always finds room. */
  void answer(const std::string& bytes) override {
    if (write(fd_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) throw systemError("connection");
  }

  static void finish(std::function<void()>& waiting) {
    if (const auto done = std::exchange(waiting, nullptr)) done();
  }

  Loop& loop_;
  const std::unique_ptr<Protocol> protocol_;
  const Device& device_;
  Delays& delays_;
  int fd_ = -1;
  std::vector<uint8_t> input_;
  size_t held_ = 0;
  /** When something came last, or was asked for. */
  int64_t progressNs_ = 0;
  bool isReading_ = true;
  bool isOpen_ = false;
  std::function<void()> opened_;
  /** Offset of the next byte; `following` before the first one. */
  uint64_t next_ = following;
  uint64_t wanted_ = following;
  std::function<void()> reached_;
  Echo echo_{0, 0, 0};
  std::string sent_;
  std::string echoed_;
  int64_t sentNs_ = 0;
  std::string fault_;
};
