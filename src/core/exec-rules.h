#pragma once

/* What of a request contradicts each other; a part of exec_spec_check(). */

typedef struct Error Error;
typedef struct ExecSpec ExecSpec;

/* 0, or -EINVAL with the setting named in e. */
int exec_rules_check(const ExecSpec *s, Error *e);
