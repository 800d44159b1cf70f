/*
 * Where a message ends is said by its first 16 bytes (D-Bus specification, "Message Format"), and where the
 * authentication ends by a line BEGIN; nothing more is looked at, but of messages with descriptors.
 *
 * The library does not tell which numbers the descriptors have that it forgets. But they are the lowest free
 * ones at the moment when it reads, reeve has one thread, and nothing is opened between our look and its
 * reading: so they are known beforehand. Only something closed in between would shift them; the library
 * closes what it has sent, in a turn in which it does not read, and before the next turn we look again.
 */

#include "core/inlet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "core/message-header.h"
#include "sys/socket-data.h"

#define CHUNK ((size_t) 16 * 1024)

int inlet_init(Inlet *i, int from, int *ret_fd)
{
        int pair[2], r;

        *i = (Inlet){.from = from, .to = -EBADF, .matched = -1};
        r = socket_pair(pair);
        if (r < 0)
                return r;
        i->to = pair[0];
        *ret_fd = pair[1];
        return 0;
}

void inlet_done(Inlet *i)
{
        i->to = fd_close(i->to);
        free(i->rest);
        i->rest = NULL;
        i->n_rest = 0;
}

/* How many of the bytes belong to the authentication; sets begun when its end is among them. The first byte
 * is a NUL, lines follow. */
static size_t scan_authentication(Inlet *i, const char *data, size_t size)
{
        static const char begin[] = "BEGIN\r\n";

        for (size_t n = 0; n < size; n++) {
                char c = data[n];

                if (i->matched >= 0)
                        i->matched = c == begin[i->matched] ? i->matched + 1 : -1;
                if (i->matched == (int) strlen(begin)) {
                        i->begun = true;
                        return n + 1;
                }
                if ((i->last == '\r' && c == '\n') || c == '\0')
                        i->matched = 0;
                i->last = c;
        }
        return size;
}

static uint32_t header_number(const uint8_t *p, bool big)
{
        return big ? (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16 | (uint32_t) p[2] << 8 | p[3]
                   : (uint32_t) p[3] << 24 | (uint32_t) p[2] << 16 | (uint32_t) p[1] << 8 | p[0];
}

static int read_header(Inlet *i)
{
        const uint8_t *h = i->header;
        uint64_t body, fields;

        if (h[0] != 'l' && h[0] != 'B')
                return -EBADMSG;
        body = header_number(h + 4, h[0] == 'B');
        fields = header_number(h + 12, h[0] == 'B');
        i->left = (fields + 7) / 8 * 8 + body;
        i->size = sizeof(i->header) + i->left;
        return fields > INLET_FIELDS_MAX || i->left > INLET_MESSAGE_MAX ? -EMSGSIZE : 0;
}

/* Follows the message along the bytes, which do not reach beyond its end. */
static int follow_message(Inlet *i, const char *data, size_t size)
{
        int r;

        if (i->n_header < sizeof(i->header)) {
                memcpy(i->header + i->n_header, data, size);
                i->n_header += size;
                r = i->n_header == sizeof(i->header) ? read_header(i) : 0;
                if (r < 0)
                        return r;
        } else {
                i->left -= size;
        }
        return 0;
}

static bool message_is_complete(const Inlet *i)
{
        return i->n_header == sizeof(i->header) && i->left == 0;
}

static int give(Inlet *i, const char *data, size_t size, const int *fds, size_t n_fds)
{
        ssize_t n = socket_send(i->to, data, size, fds, n_fds);
        char *rest;

        if (n < 0) /* the pair is empty: what does not fit now never will */
                return n == -EAGAIN ? -ENOBUFS : (int) n;
        i->n_untaken = n_fds;
        if ((size_t) n == size)
                return 1;
        rest = alloc_copy(data + n, size - (size_t) n);
        if (!rest)
                return -ENOMEM;
        free(i->rest);
        i->rest = rest;
        i->n_rest = size - (size_t) n;
        return 1;
}

static int give_rest(Inlet *i)
{
        _cleanup_free_ char *rest = TAKE_PTR(i->rest);
        size_t size = i->n_rest;

        i->n_rest = 0;
        return give(i, rest, size, NULL, 0);
}

typedef struct Piece {
        char data[CHUNK];
        size_t size;
        int fds[INLET_DESCRIPTORS_MAX];
        size_t n_fds;
} Piece;

/* How much to take now, of what is there. Negative errno: nothing. */
static ssize_t next_size(Inlet *i, char *scratch)
{
        ssize_t n;

        if (!i->begun) {
                n = socket_peek(i->from, scratch, CHUNK);
                if (n <= 0)
                        return n == 0 ? -ECONNRESET : n;
                return (ssize_t) scan_authentication(i, scratch, (size_t) n);
        }
        if (message_is_complete(i)) {
                i->n_header = i->n_descriptors = 0;
                i->n_messages++;
        }
        if (i->n_header < sizeof(i->header))
                return (ssize_t) (sizeof(i->header) - i->n_header);
        return (ssize_t) MIN(i->left, (uint64_t) CHUNK);
}

/* Takes what is there of the next `size` bytes, with descriptors, behind what a piece has already. */
static int take(Inlet *i, Piece *piece, size_t size)
{
        size_t n_fds = i->begun ? INLET_DESCRIPTORS_MAX - i->n_descriptors : 0;
        ssize_t n = socket_receive(i->from, piece->data + piece->size, size, piece->fds + piece->n_fds,
                                   &n_fds);

        if (n < 0)
                return (int) n;
        if (n == 0)
                return -ECONNRESET;
        piece->size += (size_t) n;
        piece->n_fds += n_fds;
        i->n_descriptors += n_fds;
        return (int) n;
}

/* A message's first 16 bytes, and with them what is there of the rest. */
static int take_beginning(Inlet *i, Piece *piece, size_t size)
{
        int r;

        r = take(i, piece, size);
        if (r >= 0)
                r = follow_message(i, piece->data, (size_t) r);
        if (r < 0 || i->n_header < sizeof(i->header) || i->left == 0 || piece->size > sizeof(i->header))
                return r;
        size = piece->size;
        r = take(i, piece, (size_t) MIN(i->left, (uint64_t) CHUNK - size));
        if (r == -EAGAIN || r == -ECONNRESET) /* will be so the next time, too */
                return 0;
        return r < 0 ? r : follow_message(i, piece->data + size, (size_t) r);
}

/* Descriptors come with the first bytes of a message, as everybody sends them, and with its whole header,
 * which is right. */
static int take_message(Inlet *i, Piece *piece, size_t size)
{
        bool begins = i->n_header == 0;
        int r;

        r = take_beginning(i, piece, size);
        if (r < 0 || piece->n_fds == 0)
                return r;
        return begins && message_header_is_sound(piece->data, piece->size, piece->n_fds) ? r : -EBADMSG;
}

int inlet_move(Inlet *i)
{
        bool messages = i->begun;
        Piece piece;
        ssize_t size;
        int r;

        if (i->rest)
                return give_rest(i);
        piece.size = piece.n_fds = 0; /* not all of it: it is large */
        size = next_size(i, piece.data);
        if (size <= 0)
                return size == -EAGAIN ? 0 : (int) size;
        r = messages ? take_message(i, &piece, (size_t) size) : take(i, &piece, (size_t) size);
        if (r >= 0)
                r = give(i, piece.data, piece.size, piece.fds, piece.n_fds);
        else if (r == -EAGAIN)
                r = 0;
        for (size_t k = 0; k < piece.n_fds; k++)
                fd_close(piece.fds[k]);
        return r;
}

bool inlet_is_idle(const Inlet *i)
{
        return i->begun && !i->rest && (i->n_header == 0 || message_is_complete(i));
}

void inlet_foresee(Inlet *i)
{
        size_t first = i->n_descriptors - i->n_untaken, n;

        if (i->n_untaken == 0)
                return;
        if (socket_is_taken(i->to) != 0) {
                i->n_untaken = 0;
                return;
        }
        n = descriptor_foresee(i->numbers + first, i->n_untaken);
        while (n < i->n_untaken) /* there is no room: none will come */
                i->numbers[first + n++] = -EBADF;
}

bool inlet_is_owed(const Inlet *i)
{
        return i->n_descriptors > 0 && message_is_complete(i);
}

bool inlet_is_taken(const Inlet *i)
{
        return socket_is_taken(i->to) == 1;
}

int inlet_settle(Inlet *i, bool understood)
{
        i->n_untaken = 0;
        if (!inlet_is_owed(i) || understood)
                return 0;
        for (size_t k = 0; k < i->n_descriptors; k++)
                fd_close(i->numbers[k]);
        i->n_descriptors = 0;
        return -EBADMSG;
}
