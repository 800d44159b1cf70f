#pragma once

/*
 * Text split into words, as systemd splits it (systemd.syntax(7), "Quoting"; src/basic/extract-word.c with
 * EXTRACT_UNQUOTE | EXTRACT_CUNESCAPE): words are separated by blanks; "…" and '…' keep blanks and are taken
 * away, also in the middle of a word; a backslash starts one of \a \b \f \n \r \t \v \\ \" \' \s (a space)
 * \xHH \NNN \uHHHH \UHHHHHHHH, inside of quotes and outside. Neither $ nor % means anything here: that is
 * for who knows the setting.
 */

#include "basic/macro.h"

/* The next word. 1: *ret is the word, given to free(), and *text stands behind it; 0: there are none left.
 * -EINVAL, and *ret_reason (static, to be read after a name: "has a quote that is not closed"); -ENOMEM. On
 * failure *text stays where it is. */
int word_next(const char **text, char **ret, const char **ret_reason);

/* All words; an array of none for text of blanks. 0, or as above. */
int words_split(const char *text, char ***ret, const char **ret_reason);

/* The same, but a backslash is a character like any other: names of units have them (dev-a\x2db). */
int word_next_verbatim(const char **text, char **ret, const char **ret_reason);

/* The same for the value of a variable in a command line: nothing is wrong in it. A backslash takes what
 * follows as it is, a quote that is not closed ends with the text. */
int word_next_relaxed(const char **text, char **ret);

/* The escapes taken back, in a text that is not words; quotes and blanks stay. 0, or as word_next(). */
int text_unescape(const char *text, char **ret, const char **ret_reason);
