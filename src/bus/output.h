#pragma once

/* A job's output in messages. */

#include <systemd/sd-bus.h>

#include "core/exec-spec.h"
#include "journal/record.h"

typedef struct Job Job;

typedef struct OutputRequest {
        unsigned streams; /* STREAM_MASK() */
        uint64_t max_bytes, lines;
        usec_t since;
        bool text;
} OutputRequest;

typedef struct OutputResult {
        uint64_t size[_STREAM_MAX]; /* bytes of each stream that the message carries */
        uint64_t cut;               /* held and asked for, but over max_bytes or lines */
} OutputResult;

/* Appends one "ay": the newest bytes of one stream; empty with text. */
int output_append_array(sd_bus_message *m, const Job *job, Stream stream, const OutputRequest *request,
                        OutputResult *ret);
/* Appends "ayay": the newest bytes of stdout and of stderr; both empty with text. */
int output_append_arrays(sd_bus_message *m, const Job *job, const OutputRequest *request, OutputResult *ret);
/* With text: appends the entries StdoutText and StderrText to an open a{sv}. */
int output_append_text(sd_bus_message *m, const Job *job, const OutputRequest *request, OutputResult *ret);

/* The cursor behind the newest record, as an entry of an open a{sv}. */
int output_append_cursor(sd_bus_message *m, const char *key, const Job *job);
