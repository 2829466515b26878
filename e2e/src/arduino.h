// What an Arduino sketch needs of its board, as a program of this machine: the port is its standard input and output.
#include <cctype>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <poll.h>
#include <string>
#include <unistd.h>

constexpr int OUTPUT = 1;
constexpr int LED_BUILTIN = 13;
inline void pinMode(int, int) {}
inline void digitalWrite(int, int) {}

inline unsigned long millis() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

class String : public std::string {
public:
  using std::string::string;
  bool startsWith(const char *start) const { return rfind(start, 0) == 0; }
  void trim() {
    while (!empty() && isspace(static_cast<unsigned char>(back()))) pop_back();
    while (!empty() && isspace(static_cast<unsigned char>(front()))) erase(begin());
  }
};

class Port {
public:
  void begin(unsigned long) {}
  // Waits a little, as the loop of a sketch would else keep a core busy.
  int available() {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    return poll(&input, 1, 10) > 0;
  }
  String readStringUntil(char end) {
    String text;
    for (char c; next(c) && c != end;) text += c;
    return text;
  }
  void print(const char *text) { write(text); }
  void print(double value, int digits) {
    char text[32];
    snprintf(text, sizeof text, "%.*f", digits, value);
    write(text);
  }
  void println(const char *text) { write(std::string(text) + "\r\n"); }

private:
  static bool next(char &c) {
    if (read(STDIN_FILENO, &c, 1) != 1) _exit(0);
    return true;
  }
  static void write(const std::string &text) {
    if (::write(STDOUT_FILENO, text.data(), text.size()) < 0) _exit(0);
  }
} Serial;

void setup();
void loop();

int main() {
  setup();
  for (;;) loop();
}
