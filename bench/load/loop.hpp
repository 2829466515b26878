#pragma once
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <unordered_map>

// CLOCK_MONOTONIC, as process.hrtime of Node: times can be compared between the two processes.
inline int64_t nowNs() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

/** Without progress for this long, what is waited for does not come. */
constexpr int64_t stallNs = 30'000'000'000;

inline std::runtime_error systemError(const std::string& what) {
  return std::runtime_error(what + ": " + strerror(errno));
}

inline int need(int result, const char* what) {
  if (result < 0) throw systemError(what);
  return result;
}

/** One thread that waits for descriptors and times. */
class Loop {
 public:
  using OnReady = std::function<void(uint32_t events)>;

  void watch(int fd, uint32_t events, OnReady onReady) {
    watched_[fd] = std::move(onReady);
    control(EPOLL_CTL_ADD, fd, events);
  }

  void change(int fd, uint32_t events) { control(EPOLL_CTL_MOD, fd, events); }

  void forget(int fd) {
    control(EPOLL_CTL_DEL, fd, 0);
    watched_.erase(fd);
  }

  void at(int64_t timeNs, std::function<void()> run) {
    const bool isFirst = due_.empty() || timeNs < due_.begin()->first;
    due_.emplace(timeNs, std::move(run));
    if (isFirst) arm();
  }

  [[noreturn]] void run() {
    epoll_event ready[256];
    watch(timer_, EPOLLIN, [this](uint32_t) { runDue(); });
    for (;;) {
      const int count = epoll_wait(epoll_, ready, 256, -1);
      if (count < 0 && errno != EINTR) throw systemError("epoll_wait");
      for (int at = 0; at < count; at++) {
        const auto found = watched_.find(ready[at].data.fd);
        // Copied: a callback may forget itself.
        if (found != watched_.end()) OnReady(found->second)(ready[at].events);
      }
    }
  }

 private:
  void control(int operation, int fd, uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    need(epoll_ctl(epoll_, operation, fd, &event), "epoll_ctl");
  }

  void arm() {
    itimerspec when{};
    when.it_value.tv_sec = due_.begin()->first / 1'000'000'000;
    when.it_value.tv_nsec = due_.begin()->first % 1'000'000'000;
    need(timerfd_settime(timer_, TFD_TIMER_ABSTIME, &when, nullptr), "timerfd_settime");
  }

  void runDue() {
    uint64_t expirations;
    if (read(timer_, &expirations, sizeof expirations) < 0 && errno != EAGAIN) throw systemError("timerfd");
    while (!due_.empty() && due_.begin()->first <= nowNs()) {
      auto run = std::move(due_.begin()->second);
      due_.erase(due_.begin());
      run();
    }
    if (!due_.empty()) arm();
  }

  const int epoll_ = need(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  const int timer_ = need(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), "timerfd_create");
  std::unordered_map<int, OnReady> watched_;
  std::multimap<int64_t, std::function<void()>> due_;
};
