/* Which jobs are meant. */

#include <errno.h>

#include "basic/alloc.h"
#include "core/error.h"
#include "core/selector.h"
#include "fake-world.h"
#include "test-main.h"

static World w;

/* The Ids of the jobs that match, oldest first; the selector is done with. */
static void check(JobSelector *s, const char *expected)
{
        char found[256] = "";

        LIST_FOREACH (&w.jobs.jobs, link) {
                const Job *job = container_of(link, Job, by_age);

                if (job_selector_match(s, job)) {
                        strcat(found, job->id);
                        strcat(found, " ");
                }
        }
        ck_assert_str_eq(found, expected);
        job_selector_done(s);
}

/* Three that run, one that is told to stop, one that has finished, one on its way to exec. */
static void populate(void)
{
        ExecSpec spec;
        Job *job;

        world_init(&w);
        world_run(&w, "Id", "a", "Labels", "tier=web", NULL);
        world_run(&w, "Id", "b", "Session", "other", "Labels", "tier=web run=1", NULL);
        job = world_run(&w, "Id", "stopping", NULL);
        leader_of(job)->manners = FAKE_IGNORES;
        job_stop(job, 0, USEC_PER_SEC);
        job = world_run(&w, "Id", "killing", NULL);
        leader_of(job)->manners = FAKE_UNKILLABLE;
        job_stop(job, 0, 0);
        job = world_run(&w, "Id", "finished", NULL);
        fake_exit(leader_of(job), 0);
        job = world_run(&w, "Id", "exited", NULL);
        fake_fork(leader_of(job));
        fake_exit(leader_of(job), 3);
        spec_init(&spec);
        spec_set(&spec, "Id", "starting");
        world_start(&w, &spec);
        world_settle(&w);
}

START_TEST(by_one_key)
{
        populate();
        check(&(JobSelector){.all = true, .n_keys = 1},
              "a b stopping killing finished exited starting "); /* a Stop means that one, too */
        check(&(JobSelector){.id = str_copy("b")}, "b ");
        check(&(JobSelector){.id = str_copy("starting")}, "starting ");
        check(&(JobSelector){.session = str_copy("other")}, "b ");
        check(&(JobSelector){.session = str_copy("default")},
              "a stopping killing finished exited starting ");
        check(&(JobSelector){.label = str_copy("tier=web")}, "a b ");
        check(&(JobSelector){.label = str_copy("tier")}, "");
        check(&(JobSelector){.unit = str_copy("web.service")}, "");
        check(&(JobSelector){.unit = str_copy(""), .id = str_copy("a")}, "a "); /* of no unit: all are */
        world_done(&w);
}
END_TEST

START_TEST(by_state)
{
        static const struct {
                const char *word, *jobs;
        } cases[] = {
                        {"starting", "starting "},         {"running", "a b "}, {"exited", "exited "},
                        {"stopping", "stopping killing "}, /* both states have that word */
                        {"finished", "finished "},         {"restarting", ""}, /* a word of the contract, and
                                                                                  nobody is in it */
        };

        populate();
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                JobSelector s = {0};

                ck_assert_int_eq(job_selector_add_state(&s, "State", cases[i].word, NULL), 0);
                check(&s, cases[i].jobs);
        }
        world_done(&w);
}
END_TEST

START_TEST(several_states)
{
        JobSelector s = {0};
        Error e = ERROR_NULL;

        populate();
        ck_assert_int_eq(job_selector_add_state(&s, "State", "running", &e), 0);
        ck_assert_int_eq(job_selector_add_state(&s, "State", "finished", &e), 0);
        check(&s, "a b finished ");
        ck_assert_int_eq(job_selector_add_state(&s, "State", "failed", &e), -EINVAL);
        ck_assert_int_eq(e.kind, ERROR_INVALID_ARGS);
        ck_assert(strstr(e.message, "failed"));
        ck_assert_int_eq(job_selector_add_state(&s, "State", "", &e), -EINVAL);
        world_done(&w);
}
END_TEST

START_TEST(by_command_line)
{
        JobSelector s = {0};

        populate();
        ck_assert_int_eq(pattern_compile(&s.pattern, "Pattern", "^payload --fl[a-z]+$", NULL), 0);
        s.session = str_copy("other");
        check(&s, "b ");
        ck_assert_int_eq(pattern_compile(&s.pattern, "Pattern", "^--flag", NULL), 0);
        check(&s, "");
        world_done(&w);
}
END_TEST

START_TEST(all_keys_must_be_true)
{
        JobSelector s = {.session = NULL};

        populate();
        s.label = str_copy("tier=web");
        s.session = str_copy("default");
        check(&s, "a ");
        s.id = str_copy("a");
        s.session = str_copy("other");
        check(&s, "");
        world_done(&w);
}
END_TEST

START_TEST(by_process)
{
        JobSelector s = {0};
        Error e = ERROR_NULL;
        FakeProcess *child;

        populate();
        child = fake_fork(leader_of(job_set_get(&w.jobs, "b")));
        s.pid = child->pid;
        ck_assert_int_eq(job_selector_resolve(&s, &w.jobs, &e), 0);
        check(&s, "b ");

        s.pid = fake_stranger()->pid;
        ck_assert_int_eq(job_selector_resolve(&s, &w.jobs, &e), -ESRCH);
        ck_assert_int_eq(e.kind, ERROR_NO_SUCH_PROCESS);
        s.pid = 4711;
        ck_assert_int_eq(job_selector_resolve(&s, &w.jobs, &e), -ESRCH);
        s.pid = fake_process(FAKE_PIDS)->pid + 100;
        ck_assert_int_eq(job_selector_resolve(&s, &w.jobs, &e), -ESRCH);
        s.pid = 0;
        ck_assert_int_eq(job_selector_resolve(&s, &w.jobs, &e), 0);
        world_done(&w);
}
END_TEST

static void check_refused(const JobSelector *s, ErrorKind kind, const char *word)
{
        Error e = ERROR_NULL;
        int r = job_selector_check(s, &w.jobs, &e);

        if (kind == ERROR_NONE)
                ck_assert_msg(r == 0, "%s", e.message);
        else
                ck_assert_int_lt(r, 0);
        ck_assert_int_eq(e.kind, kind);
        ck_assert_msg(strstr(e.message, word), "%s", e.message);
}

START_TEST(what_is_named_must_be_there)
{
        populate();
        check_refused(&(JobSelector){0}, ERROR_INVALID_ARGS, "empty");
        check_refused(&(JobSelector){.n_keys = 1, .all = true}, ERROR_NONE, "");
        check_refused(&(JobSelector){.n_keys = 1, .id = (char *) "a"}, ERROR_NONE, "");
        check_refused(&(JobSelector){.n_keys = 1, .id = (char *) "finished"}, ERROR_NONE, "");
        check_refused(&(JobSelector){.n_keys = 1, .id = (char *) "nobody"}, ERROR_NO_SUCH_JOB, "nobody");
        check_refused(&(JobSelector){.n_keys = 1, .id = (char *) "starting"}, ERROR_NO_SUCH_JOB, "starting");
        check_refused(&(JobSelector){.n_keys = 1, .session = (char *) "other"}, ERROR_NONE, "");
        check_refused(&(JobSelector){.n_keys = 1, .session = (char *) "default"}, ERROR_NONE, "");
        check_refused(&(JobSelector){.n_keys = 1, .session = (char *) "system"}, ERROR_NONE, "");
        check_refused(&(JobSelector){.n_keys = 1, .session = (char *) "nowhere"}, ERROR_NO_SUCH_SESSION,
                      "nowhere");
        /* No match is no error. */
        check_refused(&(JobSelector){.n_keys = 1, .label = (char *) "x=y"}, ERROR_NONE, "");
        world_done(&w);
}
END_TEST

TEST_MAIN("selector", by_one_key, by_state, several_states, by_command_line, all_keys_must_be_true,
          by_process, what_is_named_must_be_there)
