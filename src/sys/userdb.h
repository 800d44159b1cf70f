#pragma once

/* Users and groups, from /etc/passwd and /etc/group themselves: PID 1 loads no NSS modules. A name that is
 * all digits is a number, and need not be in the file. */

#include <sys/types.h>

#include "basic/macro.h"

typedef struct UserRecord {
        char *name, *home,
                        *shell; /* name, home and shell may be NULL for a number that is not in the file */
        uid_t uid;
        gid_t gid;
} UserRecord;

void user_record_done(UserRecord *u);

/* root: "/" but for tests. -ESRCH: unknown; -EINVAL: 65535, 4294967295 and the like. */
int userdb_user(const char *root, const char *name, UserRecord *ret);
int userdb_group(const char *root, const char *name, gid_t *ret);
/* The groups that name is a member of, plus gid; malloc'ed. */
int userdb_groups(const char *root, const char *name, gid_t gid, gid_t **ret, size_t *ret_n);
