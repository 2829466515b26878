#pragma once
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "loop.hpp"
#include "pattern.hpp"

/** How a device sends: `bytes` of the pattern, `chunk` at a time, at `rate` bytes per second (0: as fast as it is read). */
struct Feed {
  uint64_t bytes;
  uint64_t rate;
  uint64_t chunk;
};

/**
 * The device's end of a pseudo-terminal. It sends the counting pattern, and checks that it gets the counting pattern; or
 * it sends back what it gets, or passes it on to another device, as a cable between two ports does.
 */
class Device {
 public:
  explicit Device(Loop& loop) : loop_(loop) {
    char path[64];
    need(openpty(&master_, &slave_, path, nullptr, nullptr), "openpty");
    path_ = path;
    termios settings;
    need(tcgetattr(slave_, &settings), "tcgetattr");
    cfmakeraw(&settings);
    need(tcsetattr(slave_, TCSANOW, &settings), "tcsetattr");
    // Kept open, so that the terminal outlives the programs under test; but not by what is started from here.
    for (const int fd : {master_, slave_}) need(fcntl(fd, F_SETFD, FD_CLOEXEC), "fcntl");
    need(fcntl(master_, F_SETFL, O_NONBLOCK), "fcntl");
    loop_.watch(master_, interest_, [this](uint32_t events) { onReady(events); });
  }

  const std::string& path() const { return path_; }

  void echo() { isEcho_ = true; }

  /** What one gets the other sends, from now on; what finds no room is not read. */
  void join(Device& other) {
    other_ = &other;
    other.other_ = this;
  }

  /** `done` is called when the kernel has taken the last byte, or takes no more: then with what is wrong. */
  void feed(const Feed& feed, std::function<void(const std::string& fault)> done) {
    feed_ = feed;
    base_ = written_;
    startNs_ = progressNs_ = nowNs();
    done_ = std::move(done);
    if (feed.rate == 0) want(EPOLLIN | EPOLLOUT);
    else tick();
  }

  /** `done` is called when it has got the byte before `offset`, or something else than the pattern. */
  void whenReceived(uint64_t offset, std::function<void(const std::string& fault)> done) {
    wanted_ = offset;
    received_ = std::move(done);
    receivedNs_ = nowNs();
    onReceived();
  }

  uint64_t receivedBytes() const { return receivedBytes_; }

  /** What was wrong with what it got; empty when nothing was. */
  const std::string& fault() const { return fault_; }

  void checkStall() {
    if (done_ && nowNs() - progressNs_ > stallNs) finish(done_, "the terminal took nothing for 30 s");
    if (received_ && nowNs() - receivedNs_ > stallNs)
      finish(received_, "the device got nothing for 30 s, after " + std::to_string(receivedBytes_) + " bytes");
  }

  /** When the byte at `offset` was to be sent; 0 when nobody said when. A late device makes late bytes. */
  int64_t dueNs(uint64_t offset) const {
    if (feed_.rate == 0 || offset < base_) return 0;
    return startNs_ + static_cast<int64_t>((offset - base_) / feed_.chunk * feed_.chunk * 1'000'000'000 / feed_.rate);
  }

  /** What the kernel does to a tty when its device goes. Needs root. */
  int64_t hangUp() {
    const int64_t atNs = nowNs();
    const pid_t child = need(fork(), "fork");
    if (child == 0) {
      signal(SIGHUP, SIG_IGN);
      setsid();
      const int tty = open(path_.c_str(), O_RDWR | O_NOCTTY);
      _exit(tty >= 0 && ioctl(tty, TIOCSCTTY, 0) == 0 && vhangup() == 0 ? 0 : 1);
    }
    int status = 0;
    need(waitpid(child, &status, 0), "waitpid");
    if (status != 0) throw std::runtime_error("vhangup was refused; it needs root");
    return atNs;
  }

 private:
  void onReady(uint32_t events) {
    if (events & (EPOLLIN | EPOLLHUP)) take();
    if (events & EPOLLOUT) other_ == nullptr ? flood() : passOn();
  }

  void take() {
    uint8_t bytes[4096];
    const ssize_t count = read(master_, bytes, sizeof bytes);
    // EIO: hung up; there is nothing left to watch.
    if (count < 0 && errno == EIO) return loop_.forget(master_);
    if (count <= 0) return;
    if (other_ != nullptr) return pass(bytes, count);
    if (!isEcho_) return check(bytes, count);
    if (write(master_, bytes, count) != count) throw systemError("the echo found no room");
  }

  void pass(const uint8_t* bytes, size_t count) {
    other_->held_.assign(reinterpret_cast<const char*>(bytes), count);
    other_->passOn();
  }

  /** Sends what the other end of the cable got; until all of it is gone, that end is not read. */
  void passOn() {
    const ssize_t taken = write(master_, held_.data(), held_.size());
    if (taken < 0 && errno != EAGAIN) throw systemError("the terminal took nothing");
    held_.erase(0, std::max<ssize_t>(taken, 0));
    want(held_.empty() ? interest_ & ~EPOLLOUT : interest_ | EPOLLOUT);
    other_->want(held_.empty() ? other_->interest_ | EPOLLIN : other_->interest_ & ~EPOLLIN);
  }

  void check(const uint8_t* bytes, size_t count) {
    if (fault_.empty() && !pattern::fits(receivedBytes_, bytes, count))
      fault_ = "a byte from " + std::to_string(receivedBytes_) + " on is not what was written to the device";
    receivedBytes_ += count;
    receivedNs_ = nowNs();
    onReceived();
  }

  void onReceived() {
    if (received_ && (!fault_.empty() || receivedBytes_ >= wanted_)) finish(received_, fault_);
  }

  void want(uint32_t events) {
    if (interest_ != events) loop_.change(master_, events);
    interest_ = events;
  }

  void flood() {
    // A turn at a time: the consumers have theirs in between.
    send(std::min(base_ + feed_.bytes, written_ + 65'536));
    if (written_ < base_ + feed_.bytes) return;
    want(EPOLLIN);
    finish(done_, "");
  }

  /** Sends what is due; what found no room goes with the next. */
  void tick() {
    const uint64_t chunks = static_cast<uint64_t>(nowNs() - startNs_) * feed_.rate / (feed_.chunk * 1'000'000'000) + 1;
    send(base_ + std::min(feed_.bytes, chunks * feed_.chunk));
    if (written_ == base_ + feed_.bytes) return finish(done_, "");
    loop_.at(std::max(dueNs(base_ + chunks * feed_.chunk), nowNs() + 100'000), [this] { tick(); });
  }

  using Done = std::function<void(const std::string& fault)>;

  static void finish(Done& done, const std::string& fault) { std::exchange(done, nullptr)(fault); }

  void send(uint64_t end) {
    while (written_ < end) {
      uint8_t bytes[4096];
      const size_t count = std::min<uint64_t>({sizeof bytes, feed_.chunk, end - written_});
      pattern::fill(written_, bytes, count);
      const ssize_t taken = write(master_, bytes, count);
      if (taken < 0 && errno != EAGAIN) throw systemError("the terminal took nothing");
      written_ += std::max<ssize_t>(taken, 0);
      if (taken > 0) progressNs_ = nowNs();
      if (taken < static_cast<ssize_t>(count)) return;
    }
  }

  Loop& loop_;
  int master_ = -1;
  int slave_ = -1;
  std::string path_;
  bool isEcho_ = false;
  Feed feed_{0, 0, 4096};
  uint64_t base_ = 0;
  uint64_t written_ = 0;
  int64_t startNs_ = 0;
  int64_t progressNs_ = 0;
  Done done_;
  uint32_t interest_ = EPOLLIN;
  /** The other end of the cable, and what it got and this end has not sent yet. */
  Device* other_ = nullptr;
  std::string held_;
  uint64_t receivedBytes_ = 0;
  uint64_t wanted_ = 0;
  int64_t receivedNs_ = 0;
  std::string fault_;
  Done received_;
};
