/* A blocking Redis client that only sends and waits: the lower bound for any client's time.

   blocking_client PORT FILE REPLIES
   FILE contains requests, each preceded by its length in four bytes. Each is answered with REPLIES
   integers, one per line. Prints the seconds from the first write to the last answer. */

#include <arpa/inet.h>
#include <err.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int connect_to(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int on = 1, server = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(server, (struct sockaddr *)&address, sizeof address))
        err(1, "connect");
    setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return server;
}

static char *read_file(const char *path, long *size)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) || (*size = ftell(file)) < 0)
        err(1, "%s", path);
    rewind(file);
    char *content = malloc(*size);
    if (!content || fread(content, 1, *size, file) != (size_t)*size)
        err(1, "%s", path);
    fclose(file);
    return content;
}

int main(int count, char **arguments)
{
    if (count != 4)
        errx(2, "usage: blocking_client PORT FILE REPLIES");
    long size;
    char *requests = read_file(arguments[2], &size), answer[4096];
    int server = connect_to(atoi(arguments[1])), replies = atoi(arguments[3]);
    struct timespec begin, end;

    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (char *next = requests; next < requests + size;) {
        uint32_t length;
        memcpy(&length, next, sizeof length);
        if (write(server, next + sizeof length, length) != length)
            err(1, "write");
        next += sizeof length + length;
        int lines = 0;
        while (lines < replies) {
            ssize_t received = read(server, answer, sizeof answer);
            if (received <= 0)
                err(1, "read");
            for (ssize_t i = 0; i < received; i++) {
                lines += answer[i] == '\n';
                if (answer[i] == '-')
                    errx(1, "Redis answered: %.*s", (int)received, answer);
            }
        }
        if (lines > replies)
            errx(1, "more answers than commands");
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%.9f\n", end.tv_sec - begin.tv_sec + (end.tv_nsec - begin.tv_nsec) / 1e9);
    return 0;
}
