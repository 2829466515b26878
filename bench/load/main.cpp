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
#include "sockets.hpp"

namespace {

/** A byte that comes twice comes soon after the first. */
constexpr int64_t settleNs = 200'000'000;
constexpr int64_t beatEveryNs = 20'000'000'000;

class Load {
 public:
  [[noreturn]] void run() {
    loop_.watch(STDIN_FILENO, EPOLLIN, [this](uint32_t) { readCommands(); });
    checkStalls();
    beat();
    loop_.run();
  }

 private:
  void checkStalls() {
    for (const auto& device : devices_) device->checkStall();
    for (const auto& consumer : consumers_) consumer->checkStall();
    loop_.at(nowNs() + 1'000'000'000, [this] { checkStalls(); });
  }

  void beat() {
    for (const auto& consumer : consumers_) consumer->beat();
    loop_.at(nowNs() + beatEveryNs, [this] { beat(); });
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
    if (verb == "join") return join(id, words);
    if (verb == "feed") return feed(id, words);
    if (verb == "received") return received(id, words);
    if (verb == "received-in-all") return receivedInAll(id, words);
    if (verb == "hang-up") return reply(id, time(device(words).hangUp()));
    if (verb == "connect") return addConsumer(id, words);
    if (verb == "serve") return addServer(id);
    if (verb == "accept") return accept(id, words);
    if (verb == "until") return until(id, words);
    if (verb == "send") return send(id, words);
    if (verb == "settled") return settled(id, words);
    if (verb == "round-trips") return roundTrips(id, words);
    if (verb == "freeze") return consumer(words).freeze(), reply(id, "{}");
    if (verb == "disconnect") return consumer(words).close(), reply(id, "{}");
    if (verb == "delays") return takeDelays(id, words);
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
    target.feed(feed, [id](const std::string& fault) { replyUnless(fault, id, time(nowNs())); });
  }

  /** device, device: the ends of a cable */
  void join(const std::string& id, std::istream& words) {
    Device& one = device(words);
    one.join(device(words));
    reply(id, "{}");
  }

  /** device, offset → when it had got all bytes before it */
  void received(const std::string& id, std::istream& words) {
    Device& target = device(words);
    uint64_t offset = 0;
    words >> offset;
    target.whenReceived(offset, [id](const std::string& fault) { replyUnless(fault, id, time(nowNs())); });
  }

  /** device → how many bytes it has got, when what may still be on its way has come */
  void receivedInAll(const std::string& id, std::istream& words) {
    const Device& target = device(words);
    loop_.at(nowNs() + settleNs, [id, &target] { replyUnless(target.fault(), id, bytes(target.receivedBytes())); });
  }

  /** device, protocol, port, target → the consumer's number, when the stream stands */
  void addConsumer(const std::string& id, std::istream& words) {
    const Device& source = device(words);
    std::string protocol, target;
    int port = 0;
    words >> protocol >> port >> target;
    Consumer& added = open(createProtocol(protocol, target), connectTo(port), source, delays_[protocol]);
    added.whenOpen([id, &added, number = lastConsumer()] { replyOf(added, id, number); });
  }

  Consumer& open(std::unique_ptr<Protocol> protocol, int fd, const Device& source, Delays& delays) {
    return *consumers_.emplace_back(std::make_unique<Consumer>(loop_, std::move(protocol), fd, source, delays));
  }

  /** protocol, or nothing for all of them → the delays since the last time */
  void takeDelays(const std::string& id, std::istream& words) {
    std::string protocol;
    if (words >> protocol) return reply(id, delays_[protocol].take());
    Delays all;
    for (auto& [_, delays] : delays_) all.add(delays);
    reply(id, all.take());
  }

  std::string lastConsumer() const { return R"({"consumer":)" + std::to_string(consumers_.size() - 1) + "}"; }

  /** → port */
  void addServer(const std::string& id) {
    servers_.push_back(std::make_unique<Server>());
    reply(id, R"({"server":)" + std::to_string(servers_.size() - 1) + R"(,"port":)" +
                  std::to_string(servers_.back()->port()) + "}");
  }

  /** server, device → the number of the consumer, of raw bytes, that the next connection is */
  void accept(const std::string& id, std::istream& words) {
    const Server& server = *servers_.at(number(words));
    const Device& source = device(words);
    loop_.watch(server.fd(), EPOLLIN, [this, id, &server, &source](uint32_t) {
      loop_.forget(server.fd());
      open(std::make_unique<Raw>(), server.take(), source, delays_["raw"]);
      reply(id, lastConsumer());
    });
  }

  /** consumer, offset → when it had all bytes before it */
  void until(const std::string& id, std::istream& words) {
    Consumer& reader = consumer(words);
    uint64_t offset = 0;
    words >> offset;
    reader.whenAt(offset, [id, &reader] { replyOf(reader, id, time(nowNs())); });
    if (!reader.fault().empty()) replyOf(reader, id, "");
  }

  /** consumer → how many bytes it has got, when what may still be on its way has come */
  void settled(const std::string& id, std::istream& words) {
    const Consumer& reader = consumer(words);
    loop_.at(nowNs() + settleNs, [id, &reader] { replyOf(reader, id, bytes(reader.place())); });
  }

  /** consumer, bytes → when the last one was taken */
  void send(const std::string& id, std::istream& words) {
    Consumer& writer = consumer(words);
    uint64_t bytes = 0;
    words >> bytes;
    writer.send(bytes, [id, &writer] { replyOf(writer, id, time(nowNs())); });
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

  static std::string bytes(uint64_t count) { return R"({"bytes":)" + std::to_string(count) + "}"; }
  static std::string time(int64_t ns) { return R"({"atNs":)" + std::to_string(ns) + "}"; }

  static void replyOf(const Consumer& consumer, const std::string& id, const std::string& answer) {
    replyUnless(consumer.fault(), id, answer);
  }

  static void replyUnless(const std::string& fault, const std::string& id, const std::string& answer) {
    reply(id, fault.empty() ? answer : "! " + fault);
  }

  static void reply(const std::string& id, std::string text) {
    std::replace(text.begin(), text.end(), '\n', ' ');
    std::cout << id << ' ' << text << std::endl;
  }

  Loop loop_;
  /** By protocol. Places in a map stay where they are. */
  std::map<std::string, Delays> delays_;
  std::string input_;
  std::vector<std::unique_ptr<Device>> devices_;
  std::vector<std::unique_ptr<Consumer>> consumers_;
  std::vector<std::unique_ptr<Server>> servers_;
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
