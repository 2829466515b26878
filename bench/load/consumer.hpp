#pragma once
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

/** A client of a gateway, or the server behind one: it reads one device, checks every byte, and notes when it came. */
class Consumer : private Listener {
 public:
  /** `fd` is a connection. */
  Consumer(Loop& loop, std::unique_ptr<Protocol> protocol, int fd, const Device& device, Delays& delays)
      : loop_(loop), protocol_(std::move(protocol)), device_(device), delays_(delays), fd_(fd) {
    const int noDelay = 1;
    need(setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &noDelay, sizeof noDelay), "setsockopt");
    need(fcntl(fd_, F_SETFL, O_NONBLOCK), "fcntl");
    answer(protocol_->request());
    loop_.watch(fd_, EPOLLIN, [this](uint32_t events) { onReady(events); });
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

  /** Sends what follows in the counting pattern; `done` is called when the kernel has taken the last byte. */
  void send(uint64_t bytes, std::function<void()> done) {
    sendEnd_ += bytes;
    sendDone_ = std::move(done);
    sendNs_ = nowNs();
    loop_.change(fd_, EPOLLIN | EPOLLOUT);
  }

  /** How many bytes it has got. */
  uint64_t place() const { return next_ == following ? 0 : next_; }

  /** Stops reading, and keeps the connection. */
  void freeze() {
    if (std::exchange(isReading_, false)) loop_.forget(fd_);
  }

  void close() {
    freeze();
    ::close(fd_);
  }

  /** Every 20 s. */
  void beat() {
    if (isReading_ && !protocol_->beat().empty()) answer(protocol_->beat());
  }

  void checkStall() {
    if (sendDone_ && nowNs() - sendNs_ > stallNs)
      fail("nothing was taken for 30 s, after " + std::to_string(sentBytes_) + " bytes");
    if ((reached_ || opened_) && nowNs() - progressNs_ > stallNs)
      fail("nothing came for 30 s; the next byte is " + (next_ == following ? "the first" : std::to_string(next_)));
  }

  /** What was wrong; empty when nothing was. */
  const std::string& fault() const { return fault_; }

 private:
  void onReady(uint32_t events) {
    try {
      if (events & EPOLLOUT) sendMore();
      if (events & ~EPOLLOUT) receive();
    } catch (const std::exception& error) {
      fail(error.what());
    }
  }

  void fail(const std::string& fault) {
    fault_ = fault;
    freeze();
    finish(reached_);
    finish(opened_);
    finish(sendDone_);
  }

  /** A turn at a time: the devices and the others have theirs in between. */
  void sendMore() {
    uint8_t bytes[65'536];
    const size_t count = std::min<uint64_t>(sizeof bytes, sendEnd_ - sentBytes_);
    pattern::fill(sentBytes_, bytes, count);
    const ssize_t taken = write(fd_, bytes, count);
    if (taken < 0 && errno != EAGAIN) throw systemError("connection");
    sentBytes_ += std::max<ssize_t>(taken, 0);
    sendNs_ = nowNs();
    if (sentBytes_ < sendEnd_) return;
    loop_.change(fd_, EPOLLIN);
    finish(sendDone_);
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
  const int fd_;
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
  uint64_t sentBytes_ = 0;
  uint64_t sendEnd_ = 0;
  int64_t sendNs_ = 0;
  std::function<void()> sendDone_;
  std::string fault_;
};
