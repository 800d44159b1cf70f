#pragma once

/* Errno numbers as words, for messages. Takes positive and negative numbers. */

/* "ENOENT"; "E?" for what has no name. A static string. */
const char *errno_name(int error);
/* "No such file or directory". A static string, the same in every locale. */
const char *errno_text(int error);
