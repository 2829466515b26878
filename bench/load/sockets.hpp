#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "loop.hpp"

inline sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

inline int openSocket() { return need(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"); }

/** A connection to a port of this machine. */
inline int connectTo(int port) {
  const int fd = openSocket();
  const sockaddr_in address = loopback(port);
  need(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), "connect");
  return fd;
}

/** Waits for connections at a port that the system chooses. */
class Server {
 public:
  Server() {
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    need(bind(fd_, reinterpret_cast<sockaddr*>(&address), size), "bind");
    need(listen(fd_, 16), "listen");
    need(getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
    port_ = ntohs(address.sin_port);
  }

  int fd() const { return fd_; }
  int port() const { return port_; }
  int take() const { return need(accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC), "accept"); }

 private:
  const int fd_ = openSocket();
  int port_ = 0;
};
