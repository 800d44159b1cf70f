/*
 * What is wrong and what has no effect: a value that cannot be taken refuses its unit, since a service that
 * runs otherwise than its file says is worse than one that does not. A key that reeve does not have is a
 * warning, since files are shared with systemd.
 */

#include "unit/unit-parse.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/alloc.h"
#include "basic/strv.h"
#include "unit/keys.h"
#include "unit/syntax.h"

void unit_parser_init(UnitParser *p, Unit *u, const char *hostname, UnitProblems *problems)
{
        *p = (UnitParser){
                        .unit = u,
                        .problems = problems,
                        .specifiers = {.name = u->name, .hostname = hostname},
        };
}

static const char *place_file(const Unit *u, UnitPlace place)
{
        return u->files && u->files[0] ? u->files[place.file] : u->name;
}

void unit_warn(const Unit *u, UnitPlace place, UnitProblems *problems, const char *format, ...)
{
        va_list ap;

        va_start(ap, format);
        unit_problems_add_v(problems, place_file(u, place), place.line, false, format, ap);
        va_end(ap);
}

void unit_refuse(Unit *u, UnitPlace place, UnitProblems *problems, const char *format, ...)
{
        _cleanup_free_ char *text = NULL;
        va_list ap;

        va_start(ap, format);
        text = str_vprintf(format, ap);
        va_end(ap);
        unit_problems_add(problems, place_file(u, place), place.line, true, "%s", text ?: "out of memory");
        if (!u->refused && text)
                u->reason = place.line > 0 ? str_printf("%s:%u: %s", place_file(u, place), place.line, text)
                                           : str_printf("%s: %s", place_file(u, place), text);
        u->refused = true;
}

static int read_assignment(UnitParser *p, const char *section, const char *name, const char *value)
{
        const UnitKey *key = unit_key_find(section, name);
        SettingId id = streq(section, "Service") && !key ? unit_key_setting(name) : _SETTING_MAX;
        const char *other;

        if (key)
                return key->read(p, key, value);
        if (id < _SETTING_MAX)
                return unit_key_read_setting(p, id, value);
        if (startswith(name, "X-"))
                return 0;
        other = unit_key_section(name);
        if (other)
                unit_warn(p->unit, p->place, p->problems, "%s= belongs into [%s], not into [%s]; ignored.",
                          name, other, section);
        else if (systemd_key_exists(section, name))
                unit_warn(p->unit, p->place, p->problems, "%s= of systemd is not there in reeve; ignored.",
                          name);
        else
                unit_warn(p->unit, p->place, p->problems, "%s= is not known in [%s]; ignored.", name,
                          section);
        return 0;
}

typedef struct Section {
        char *name; /* NULL: none yet */
        bool ignored;
} Section;

static int read_section(UnitParser *p, Section *s, const char *name)
{
        char *copy = str_copy(name);

        if (!copy)
                return -ENOMEM;
        free(s->name);
        s->name = copy;
        s->ignored = !unit_section_is_known(name);
        if (s->ignored && !startswith(name, "X-"))
                unit_warn(p->unit, p->place, p->problems, "The section [%s] is not known; ignored.", name);
        return 0;
}

static int read_items(UnitParser *p, UnitText *text, Section *section)
{
        UnitItem item;
        int r;

        do {
                r = unit_text_next(text, &item);
                if (r < 0)
                        return r;
                p->place.line = item.line;
                switch (item.type) {
                case UNIT_ITEM_END: break;
                case UNIT_ITEM_SECTION: r = read_section(p, section, item.name); break;
                case UNIT_ITEM_BROKEN:
                        if (!section->ignored)
                                unit_refuse(p->unit, p->place, p->problems, "%s", item.reason);
                        break;
                case UNIT_ITEM_ASSIGNMENT:
                        if (!section->name)
                                unit_refuse(p->unit, p->place, p->problems,
                                            "%s= stands before the first section.", item.name);
                        else if (!section->ignored)
                                r = read_assignment(p, section->name, item.name, item.value);
                        break;
                }
        } while (r >= 0 && item.type != UNIT_ITEM_END);
        return r;
}

int unit_parser_read(UnitParser *p, const char *path, const char *text, size_t size)
{
        UnitText lines = UNIT_TEXT(text, size);
        Section section = {0};
        const char *reason;
        int r;

        r = strv_append(&p->unit->files, path);
        if (r < 0)
                return r;
        p->place = (UnitPlace){.file = (unsigned) strv_length(p->unit->files) - 1};
        if (!p->unit->path) {
                p->unit->path = str_copy(path);
                if (!p->unit->path)
                        return -ENOMEM;
        }

        reason = unit_text_check(text, size, &p->place.line);
        if (reason) {
                unit_refuse(p->unit, p->place, p->problems, "This file %s.", reason);
                return 0;
        }
        r = read_items(p, &lines, &section);
        unit_text_done(&lines);
        free(section.name);
        return r;
}

void unit_parser_finish(UnitParser *p)
{
        Unit *u = p->unit;
        const UnitPlace whole = {0};
        const char *restart = u->given[SETTING_RESTART] ? u->values[SETTING_RESTART].string : "no";

        if (u->type == UNIT_TYPE_ONESHOT && !p->timeout_start_given)
                u->timeout_start = USEC_INFINITY;
        if (u->refused)
                return; /* what follows may only come of that */
        if (u->n_commands[UNIT_EXEC_START] == 0 && u->type != UNIT_TYPE_ONESHOT)
                unit_refuse(u, whole, p->problems, "ExecStart= is missing.");
        else if (u->n_commands[UNIT_EXEC_START] == 0 && u->n_commands[UNIT_EXEC_STOP] == 0)
                unit_refuse(u, whole, p->problems,
                            "ExecStart= and ExecStop= are missing, one of which is needed.");
        if (u->n_commands[UNIT_EXEC_START] > 1 && u->type != UNIT_TYPE_ONESHOT)
                unit_refuse(u, p->second_command, p->problems,
                            "ExecStart= has more than one command, which only Type=oneshot may have.");
        if (u->type == UNIT_TYPE_ONESHOT && (streq(restart, "always") || streq(restart, "on-success")))
                unit_refuse(u, u->places[SETTING_RESTART], p->problems,
                            "Restart=%s would never end with Type=oneshot.", restart);
}
