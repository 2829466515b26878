/*
 * The load side of a benchmark: devices at the far end of pseudo-terminals and clients of the gateway, in one process
 * with one thread, so that it takes little from the program under test and has one clock.
 *
 *   standard input    one command a line: `<id> <verb> <argument>…`
 *   standard output   one answer a line, when it is done: `<id> {…}`, or `<id> ! <what was wrong>`
 */
#include <sys/resource.h>

#include <iostream>
#include <sstream>

#include "consumer.hpp"
#include "device.hpp"

namespace {

class Load {
 public:
  [[noreturn]] void run() {
    loop_.watch(STDIN_FILENO, EPOLLIN, [this](uint32_t) { readCommands(); });
    checkStalls();
    loop_.run();
  }

 private:
  void checkStalls() {
    for (const auto& device : devices_) device->checkStall();
    for (const auto& consumer : consumers_) consumer->checkStall();
    loop_.at(nowNs() + 1'000'000'000, [this] { checkStalls(); });
  }

  void readCommands() {
    char bytes[4096];
    const ssize_t count = read(STDIN_FILENO, bytes, sizeof bytes);
    if (count <= 0) exit(0);
    input_.append(bytes, count);
    for (size_t end; (end = input_.find('\n')) != std::string::npos; input_.erase(0, end + 1)) {
      std::istringstream words(input_.substr(0, end));
      std::string id, verb;
      words >> id >> verb;
      try {
        perform(id, verb, words);
      } catch (const std::exception& error) {
        reply(id, std::string("! ") + error.what());
      }
    }
  }

  void perform(const std::string& id, const std::string& verb, std::istream& words) {
    if (verb == "device") return addDevice(id);
    if (verb == "echo-back") return device(words).echo(), reply(id, "{}");
    if (verb == "feed") return feed(id, words);
    if (verb == "hang-up") return reply(id, time(device(words).hangUp()));
    if (verb == "connect") return addConsumer(id, words);
    if (verb == "until") return until(id, words);
    if (verb == "round-trips") return roundTrips(id, words);
    if (verb == "freeze") return consumer(words).freeze(), reply(id, "{}");
    if (verb == "disconnect") return consumer(words).close(), reply(id, "{}");
    if (verb == "delays") return reply(id, delays_.take());
    throw std::runtime_error("no command " + verb);
  }

  /** → path */
  void addDevice(const std::string& id) {
    devices_.push_back(std::make_unique<Device>(loop_));
    reply(id, R"({"path":")" + devices_.back()->path() + R"("})");
  }

  /** device, bytes, rate, chunk → when the last byte was taken */
  void feed(const std::string& id, std::istream& words) {
    Device& target = device(words);
    Feed feed{};
    words >> feed.bytes >> feed.rate >> feed.chunk;
    target.feed(feed, [id](const std::string& fault) { reply(id, fault.empty() ? time(nowNs()) : "! " + fault); });
  }

  /** device, protocol, port, target → the consumer's number, when the stream stands */
  void addConsumer(const std::string& id, std::istream& words) {
    const Device& source = device(words);
    std::string protocol, target;
    int port = 0;
    words >> protocol >> port >> target;
    consumers_.push_back(
        std::make_unique<Consumer>(loop_, createProtocol(protocol, target), port, source, delays_));
    Consumer& added = *consumers_.back();
    const std::string number = R"({"consumer":)" + std::to_string(consumers_.size() - 1) + "}";
    added.whenOpen([id, number, &added] { replyOf(added, id, number); });
  }

  /** consumer, offset → when it had all bytes before it */
  void until(const std::string& id, std::istream& words) {
    Consumer& reader = consumer(words);
    uint64_t offset = 0;
    words >> offset;
    reader.whenAt(offset, [id, &reader] { replyOf(reader, id, time(nowNs())); });
    if (!reader.fault().empty()) replyOf(reader, id, "");
  }

  /** consumer, count, bytes, pause in µs; answered when they are done */
  void roundTrips(const std::string& id, std::istream& words) {
    Consumer& writer = consumer(words);
    Echo echo{};
    words >> echo.count >> echo.bytes >> echo.pauseNs;
    echo.pauseNs *= 1000;
    writer.echo(echo, [id, &writer] { replyOf(writer, id, time(nowNs())); });
  }

  Device& device(std::istream& words) { return *devices_.at(number(words)); }
  Consumer& consumer(std::istream& words) { return *consumers_.at(number(words)); }

  static size_t number(std::istream& words) {
    size_t value = SIZE_MAX;
    words >> value;
    return value;
  }

  static std::string time(int64_t ns) { return R"({"atNs":)" + std::to_string(ns) + "}"; }

  static void replyOf(const Consumer& consumer, const std::string& id, const std::string& answer) {
    reply(id, consumer.fault().empty() ? answer : "! " + consumer.fault());
  }

  static void reply(const std::string& id, std::string text) {
    std::replace(text.begin(), text.end(), '\n', ' ');
    std::cout << id << ' ' << text << std::endl;
  }

  Loop loop_;
  Delays delays_;
  std::string input_;
  std::vector<std::unique_ptr<Device>> devices_;
  std::vector<std::unique_ptr<Consumer>> consumers_;
};

}  // namespace

int main() {
  try {
    // A connection that breaks is an error of its write.
    signal(SIGPIPE, SIG_IGN);
    rlimit files{};
    need(getrlimit(RLIMIT_NOFILE, &files), "getrlimit");
    files.rlim_cur = files.rlim_max;
    need(setrlimit(RLIMIT_NOFILE, &files), "setrlimit");
    Load().run();
  } catch (const std::exception& error) {
    std::cerr << error.what() << std::endl;
    return 1;
  }
}
