/*
 * The load: connections that play ping-pong with an echo server, all in one thread, with epoll. Each sends a message,
 * waits until all of it has come back, and sends it again. Prints what it counted, as JSON.
 *
 *   cc -O2 -o load load.c                                     plain TCP
 *   cc -O2 -DWITH_TLS -o load load.c -lssl -lcrypto           and TLS
 *   ./load PORT PID CONNECTIONS BYTES WARM_UP_MS MEASURE_MS plain|tls
 *
 * PID is the server: how much processor time it took is told too, and how much the load itself took, which shows
 * whether the load was the bottleneck.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>
#ifdef WITH_TLS
#include <openssl/err.h>
#include <openssl/ssl.h>
#endif

#define ROOM (256 * 1024)
#define EVENTS 1024

struct connection {
  int fd;
  size_t sent;     /* of the present message */
  size_t received; /* of its echo */
  int wants_write; /* the socket was full */
#ifdef WITH_TLS
  SSL *ssl;
#endif
};

static size_t message_bytes;
static char *message;
static char *room;
static int poll_fd;
static int is_checking = 1;
static long long echoes = 0;

static void fail(const char *what) {
  fprintf(stderr, "load: %s: %s\n", what, errno == 0 ? "failed" : strerror(errno));
  exit(1);
}

static double now(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

/* Seconds of processor time that the process took, all its threads together. */
static double processor_seconds(int pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  FILE *file = fopen(path, "r");
  if (file == NULL) return 0;
  unsigned long user = 0, system = 0;
  int found = fscanf(file, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
  fclose(file);
  return found == 2 ? (double)(user + system) / sysconf(_SC_CLK_TCK) : 0;
}

/* Up to `size` bytes; 0 if there are none now. */
static size_t receive(struct connection *connection) {
#ifdef WITH_TLS
  if (connection->ssl != NULL) {
    int count = SSL_read(connection->ssl, room, ROOM);
    if (count > 0) return count;
    int why = SSL_get_error(connection->ssl, count);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return 0;
    fail("SSL_read");
  }
#endif
  ssize_t count = recv(connection->fd, room, ROOM, 0);
  if (count > 0) return count;
  if (count == 0) {
    errno = 0;
    fail("the server closed a connection");
  }
  if (errno != EAGAIN) fail("recv");
  return 0;
}

/* Sends what is left of the message; 0 if the socket is full. */
static size_t transmit(struct connection *connection) {
  const char *rest = message + connection->sent;
  size_t size = message_bytes - connection->sent;
#ifdef WITH_TLS
  if (connection->ssl != NULL) {
    int count = SSL_write(connection->ssl, rest, size);
    if (count > 0) return count;
    int why = SSL_get_error(connection->ssl, count);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return 0;
    fail("SSL_write");
  }
#endif
  ssize_t count = send(connection->fd, rest, size, MSG_NOSIGNAL);
  if (count >= 0) return count;
  if (errno != EAGAIN) fail("send");
  return 0;
}

static void watch(struct connection *connection, int wants_write) {
  if (connection->wants_write == wants_write) return;
  connection->wants_write = wants_write;
  struct epoll_event event = {.events = EPOLLIN | (wants_write ? EPOLLOUT : 0), .data.ptr = connection};
  if (epoll_ctl(poll_fd, EPOLL_CTL_MOD, connection->fd, &event) != 0) fail("epoll_ctl");
}

static void send_on(struct connection *connection) {
  while (connection->sent < message_bytes) {
    size_t count = transmit(connection);
    if (count == 0) break;
    connection->sent += count;
  }
  watch(connection, connection->sent < message_bytes);
}

static void read_on(struct connection *connection) {
  for (;;) {
    size_t count = receive(connection);
    if (count == 0) return;
    if (connection->received + count > connection->sent) {
      errno = 0;
      fail("more came back than was sent");
    }
    if (is_checking && memcmp(room, message + connection->received, count) != 0) {
      errno = 0;
      fail("what came back is not what was sent");
    }
    connection->received += count;
    if (connection->received == message_bytes) {
      echoes++;
      connection->sent = 0;
      connection->received = 0;
      send_on(connection);
      return;
    }
#ifdef WITH_TLS
    if (connection->ssl != NULL) continue; /* a record may be left inside */
#endif
    if (count < ROOM) return;
  }
}

static void open_connection(struct connection *connection, int port) {
  connection->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connection->fd < 0) fail("socket");
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(connection->fd, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");
  int yes = 1;
  setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

#ifdef WITH_TLS
static void shake_hands(struct connection *connection, SSL_CTX *context) {
  connection->ssl = SSL_new(context);
  SSL_set_fd(connection->ssl, connection->fd);
  if (SSL_connect(connection->ssl) != 1) {
    ERR_print_errors_fp(stderr);
    errno = 0;
    fail("SSL_connect");
  }
}
#endif

static void start(struct connection *connection) {
  fcntl(connection->fd, F_SETFL, fcntl(connection->fd, F_GETFL) | O_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
  if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, connection->fd, &event) != 0) fail("epoll_ctl");
  send_on(connection);
}

/* Plays until the clock says `end`. */
static void play(double end) {
  struct epoll_event events[EVENTS];
  while (now(CLOCK_MONOTONIC) < end) {
    int count = epoll_wait(poll_fd, events, EVENTS, 100);
    if (count < 0 && errno != EINTR) fail("epoll_wait");
    for (int i = 0; i < count; i++) {
      struct connection *connection = events[i].data.ptr;
      if (events[i].events & EPOLLOUT) send_on(connection);
      if (events[i].events & ~EPOLLOUT) read_on(connection);
    }
  }
}

int main(int argc, char **argv) {
  if (argc != 8) {
    fprintf(stderr, "usage: load PORT PID CONNECTIONS BYTES WARM_UP_MS MEASURE_MS plain|tls\n");
    return 2;
  }
  int port = atoi(argv[1]), pid = atoi(argv[2]), connection_count = atoi(argv[3]);
  message_bytes = atol(argv[4]);
  double warm_up = atof(argv[5]) / 1000, measure = atof(argv[6]) / 1000;
  int is_tls = strcmp(argv[7], "tls") == 0;
  message = malloc(message_bytes);
  room = malloc(ROOM);
  for (size_t i = 0; i < message_bytes; i++) message[i] = (char)(i * 31 + i / 251);
  poll_fd = epoll_create1(0);
  struct connection *connections = calloc(connection_count, sizeof *connections);
  for (int i = 0; i < connection_count; i++) open_connection(&connections[i], port);
  if (is_tls) {
#ifdef WITH_TLS
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    for (int i = 0; i < connection_count; i++) shake_hands(&connections[i], context);
#else
    fprintf(stderr, "load: built without TLS\n");
    return 2;
#endif
  }
  for (int i = 0; i < connection_count; i++) start(&connections[i]);

  play(now(CLOCK_MONOTONIC) + warm_up);
  is_checking = 0;
  echoes = 0;
  double server_start = processor_seconds(pid), own_start = now(CLOCK_PROCESS_CPUTIME_ID);
  double begin = now(CLOCK_MONOTONIC);
  play(begin + measure);
  double seconds = now(CLOCK_MONOTONIC) - begin;
  double own = now(CLOCK_PROCESS_CPUTIME_ID) - own_start, server = processor_seconds(pid) - server_start;

  printf("{\"requestsPerSecond\": %.1f, \"bytesPerSecond\": %.0f, \"serverShare\": %.3f, \"loadShare\": %.3f, "
         "\"serverMicrosecondsPerRequest\": %.3f}\n",
         echoes / seconds, echoes / seconds * message_bytes, server / seconds, own / seconds,
         echoes == 0 ? 0 : server * 1e6 / echoes);
  return 0;
}
