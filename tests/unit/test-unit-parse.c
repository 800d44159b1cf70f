/* Every key: what it takes, what it refuses, what is warned of. The unit is read back as text. */

#include "unit/unit-parse.h"

#include "basic/strv.h"
#include "unit-text.h"
#include "unit/keys.h"

/* For what is not about commands: line 2, and what unit_text() shows of it. */
#define X "ExecStart=/x\n"
#define RUN "1:2 /x,/x;"

START_TEST(the_unit_section)
{
        CHECK_CASES({"[Service]\n" X "[Unit]\nDescription=A  thing of %i",
                     RUN "Description=A  thing of a-b;"},
                    {"[Service]\n" X "[Unit]\nDescription=a\nDescription=", RUN},
                    {"[Service]\n" X "[Unit]\nDocumentation=man:x(8) https://x", RUN},
                    {"[Service]\n" X
                     "[Unit]\nAfter=a.service b.service\nAfter=c@%i.service\nAfter=a.service",
                     "after a.service b.service c@a-b.service;" RUN},
                    {"[Service]\n" X "[Unit]\nBefore=a.service\nBefore=\nBefore=b.service",
                     "before b.service;" RUN},
                    {"[Service]\n" X "[Unit]\nRequires=\"a.service\" b\\x2dc.service",
                     "requires a.service b\\x2dc.service;" RUN},
                    {"[Service]\n" X "[Unit]\nAfter=network.target dbus.socket\nConflicts=shutdown.target",
                     RUN},
                    {"[Service]\n" X "[Unit]\nWants=network-online.target", RUN,
                     "4: Wants: \"network-online.target\" is passed over: reeve has no units but services."},
                    {"[Service]\n" X "[Unit]\nRequires=basic.target", RUN, "4: Requires: \"basic.target\""},
                    {"[Service]\n" X "[Unit]\nRequires=dbus.socket", NULL,
                     "4! Requires: \"dbus.socket\" is not there"},
                    {"[Service]\n" X "[Unit]\nAfter=a", NULL, "4! After: \"a\" is not the name of a unit"},
                    {"[Service]\n" X "[Unit]\nAfter=a@.service", NULL,
                     "4! After: \"a@.service\" is a template"},
                    {"[Service]\n" X "[Unit]\nAfter=a/b.service", NULL, "4! After: \"a/b.service\""},
                    {"[Service]\n" X "[Unit]\nAfter='a.service", NULL,
                     "4! After: \"'a.service\" has a quote"},
                    {"[Service]\n" X "[Unit]\nAfter=%q.service", NULL, "has the specifier %q"},
                    {"[Service]\n" X "[Unit]\nConditionPathExists=/a\nConditionPathExists=!/b\n"
                     "ConditionPathExists=|/c\nConditionPathExists=|!/d/%i",
                     "if /a;if! /b;if| /c;if|! /d/a-b;" RUN},
                    {"[Service]\n" X "[Unit]\nConditionPathExists=/a\nConditionPathExists=", RUN},
                    {"[Service]\n" X "[Unit]\nConditionPathExists=a", NULL,
                     "4! ConditionPathExists: \"a\" is not"},
                    {"[Service]\n" X "[Unit]\nConditionPathExists=!|/a", NULL, "4! ConditionPathExists"},
                    {"[Service]\n" X "[Unit]\nStartLimitBurst=3\nStartLimitIntervalSec=1min",
                     RUN "StartLimitBurst=3;StartLimitIntervalSec=60000000;"},
                    {"[Service]\n" X "[Unit]\nStartLimitBurst=-1", NULL,
                     "4! StartLimitBurst: \"-1\" is not a whole"},
                    {X "StartLimitBurst=3", RUN,
                     "3: StartLimitBurst= belongs into [Unit], not into [Service]; ignored."});
}
END_TEST

START_TEST(the_install_section)
{
        CHECK_CASES({"[Service]\n" X "[Install]\nWantedBy=default", "boot;" RUN},
                    {"[Service]\n" X "[Install]\nWantedBy=default.target", "boot;" RUN},
                    {"[Service]\n" X "[Install]\nWantedBy=multi-user.target", "boot;" RUN},
                    {"[Service]\n" X "[Install]\nWantedBy=multi-user.target\nWantedBy=", RUN},
                    {"[Service]\n" X "[Install]\nWantedBy=default other.service", "boot;" RUN,
                     "4: WantedBy: \"other.service\" is passed over"},
                    {"[Service]\n" X "[Install]\nAlias=b.service", RUN,
                     "4: Alias= of systemd is not there in reeve"},
                    {"[Service]\n" X "[Install]\nAlso=b.service\nRequiredBy=c\nDefaultInstance=1", RUN,
                     "5: RequiredBy="});
}
END_TEST

START_TEST(types)
{
        CHECK_CASES({X "Type=simple", RUN}, {X "Type=exec", "exec;" RUN}, {X "Type=oneshot", "oneshot;" RUN},
                    {X "Type=notify", "notify;" RUN}, {X "Type=exec\nType=", RUN},
                    {X "Type=forking", NULL,
                     "3! Type: \"forking\" is not possible: reeve follows the process"},
                    {X "Type=dbus", NULL, "3! Type: \"dbus\" is not possible"},
                    {X "Type=idle", NULL, "3! Type: \"idle\" is not possible"},
                    {X "Type=notify-reload", NULL, "3! Type: \"notify-reload\" is not possible"},
                    {X "Type=Simple", NULL,
                     "3! Type: \"Simple\" must be one of simple|exec|oneshot|notify."});
}
END_TEST

START_TEST(what_must_be_there)
{
        CHECK_CASES({"Nice=1", NULL, "0! ExecStart= is missing."},
                    {"ExecStart=/x\nExecStart=", NULL, "0! ExecStart= is missing."},
                    {"ExecStop=/x", NULL, "0! ExecStart= is missing."},
                    {"Type=oneshot", NULL, "0! ExecStart= and ExecStop= are missing"},
                    {"Type=oneshot\nExecStop=/x", "oneshot;4:3 /x,/x;"},
                    {"ExecStart=/x\nExecStart=/y", NULL, "3! ExecStart= has more than one command"},
                    {"ExecStart=/x ; /y\nNice=1", NULL, "2! ExecStart= has more than one command"},
                    {"ExecStart=/x\nExecStart=\nExecStart=/y", "1:4 /y,/y;"},
                    {"Type=oneshot\nExecStart=/x\nExecStart=/y", "oneshot;1:3 /x,/x;1:4 /y,/y;"},
                    {X "Type=oneshot\nRestart=always", NULL,
                     "4! Restart=always would never end with Type=oneshot."},
                    {X "Type=oneshot\nRestart=on-success", NULL, "4! Restart=on-success"},
                    {X "Type=oneshot\nRestart=on-failure", "oneshot;" RUN "Restart=on-failure;"});
}
END_TEST

START_TEST(commands)
{
        CHECK_CASES({"ExecStartPre=/a\nExecStart=/b\nExecStartPost=/c\nExecReload=/d\nExecStop=/"
                     "e\nExecStopPost=/f",
                     "0:2 /a,/a;1:3 /b,/b;2:4 /c,/c;3:5 /d,/d;4:6 /e,/e;5:7 /f,/f;"},
                    {"ExecStart=-/x 'a b' \\\n  c", "1:2- /x,/x,a b,c;"},
                    {"ExecStart=sleep %i", "1:2 sleep,sleep,a-b;"},
                    {X "ExecStartPre=/a\nExecStartPre=/b ; /c\nExecStop=/d\nExecStop=\n",
                     "0:3 /a,/a;0:4 /b,/b;0:4 /c,/c;" RUN},
                    {"ExecStart=bin/x", NULL, "2! ExecStart: \"bin/x\" must have an absolute path"},
                    {"ExecStart=!/x", NULL, "2! ExecStart: \"!/x\" has the prefix \"!\""},
                    {"ExecStart=!!/x", NULL, "has the prefix \"!\""},
                    {"ExecStart=/x %y", NULL, "2! ExecStart: \"/x %y\" has the specifier %y"},
                    {"ExecStart=/x 'a", NULL, "has a quote that is not closed"});
}
END_TEST

START_TEST(times)
{
        CHECK_CASES({X "TimeoutStartSec=5", "" RUN "start 5000000;"},
                    {X "TimeoutStartSec=infinity", RUN "start inf;"},
                    {X "TimeoutStartSec=0", RUN "start inf;"},
                    {X "TimeoutStartSec=5\nTimeoutStartSec=", RUN},
                    {X "TimeoutStopSec=5", RUN "TimeoutStopSec=5000000;"},
                    {X "TimeoutStopSec=0", RUN "TimeoutStopSec=inf;"},
                    {X "TimeoutStopSec=5\nTimeoutStopSec=", RUN},
                    {X "TimeoutSec=1min 30s 500ms", RUN "start 90500000;TimeoutStopSec=90500000;"},
                    {X "Type=oneshot", "oneshot;" RUN},
                    {X "Type=oneshot\nTimeoutStartSec=90", "oneshot;" RUN "start 90000000;"},
                    {X "WatchdogSec=10", RUN "watchdog 10000000;"}, {X "WatchdogSec=0", RUN},
                    {X "WatchdogSec=infinity", RUN}, {X "WatchdogSec=1\nWatchdogSec=", RUN},
                    {X "WatchdogSec=x", NULL, "3! WatchdogSec: \"x\" is not a span of time"},
                    {X "TimeoutSec=1x", NULL, "3! TimeoutSec: \"1x\" is not a span of time"},
                    {X "TimeoutStartSec=-1", NULL, "3! TimeoutStartSec"},
                    {X "RuntimeMaxSec=2h", RUN "RuntimeMaxSec=7200000000;"});
}
END_TEST

START_TEST(restarts)
{
        CHECK_CASES({X "Restart=always\nRestartSec=100ms\nRestartSteps=5\nRestartMaxDelaySec=1min",
                     RUN "steps 5;Restart=always;RestartSec=100000;RestartMaxDelaySec=60000000;"},
                    {X "Restart=no", RUN "Restart=no;"}, {X "Restart=on-failure", RUN "Restart=on-failure;"},
                    {X "Restart=on-abnormal", RUN "Restart=on-abnormal;"},
                    {X "Restart=on-success", RUN "Restart=on-success;"}, {X "Restart=always\nRestart=", RUN},
                    {X "Restart=sometimes", NULL, "3! Restart: \"sometimes\" must be one of"},
                    {X "RestartSteps=-1", NULL, "3! RestartSteps"}, {X "RestartSteps=5\nRestartSteps=", RUN},
                    {X "RestartPreventExitStatus=1 SIGKILL\nRestartPreventExitStatus=TEMPFAIL 255",
                     "1:2 /x,/x;prevent 1 75 255 S9 ;"},
                    {X "SuccessExitStatus=3\nSuccessExitStatus=\nSuccessExitStatus=TERM",
                     RUN "success S15 ;"},
                    {X "SuccessExitStatus=256", NULL, "3! SuccessExitStatus: \"256\" is not an exit status"},
                    {X "SuccessExitStatus=1 nonsense", NULL, "3! SuccessExitStatus: \"nonsense\""},
                    {X "RemainAfterExit=yes", "1:2 /x,/x;remain;"},
                    {X "RemainAfterExit=yes\nRemainAfterExit=", RUN},
                    {X "RemainAfterExit=perhaps", NULL,
                     "3! RemainAfterExit: \"perhaps\" must be yes or no."},
                    {X "NotifyAccess=all", RUN "NotifyAccess=all;"},
                    {X "NotifyAccess=some", NULL, "3! NotifyAccess: \"some\" must be one of"});
}
END_TEST

START_TEST(environments)
{
        CHECK_CASES({X
                     "Environment=\"VAR1=word1 word2\" VAR2=word3 \"VAR3=$word 5 6\"", /* of systemd.exec(5)
                                                                                        */
                     RUN "Environment=VAR1=word1 word2 VAR2=word3 VAR3=$word 5 6;"},
                    {X "Environment=ONE='one' \"TWO='two two' too\" THREE=",
                     RUN "Environment=ONE=one TWO='two two' too THREE=;"},
                    {X "Environment=A=1\nEnvironment=B=2\nEnvironment=\nEnvironment=C=%i%%",
                     RUN "Environment=C=a-b%;"},
                    {X "Environment=A=1\nEnvironment=", RUN},
                    {X "Environment=A=a\\tb", RUN "Environment=A=a\tb;"},
                    {X "Environment=A", NULL, "3! Environment: \"A\" is not NAME=VALUE"},
                    {X "Environment=1A=2", NULL, "3! Environment: \"1A=2\" is not NAME=VALUE"},
                    {X "Environment=\"A=1", NULL, "3! Environment: \"\"A=1\" has a quote"},
                    {X "UnsetEnvironment=A B", RUN "UnsetEnvironment=A B;"},
                    {X "EnvironmentFile=/a\nEnvironmentFile=-/b/%i", "1:2 /x,/x;file /a;file- /b/a-b;"},
                    {X "EnvironmentFile=/a\nEnvironmentFile=", RUN},
                    {X "EnvironmentFile=a", NULL, "3! EnvironmentFile: \"a\" is not an absolute path"},
                    {X "EnvironmentFile=-", NULL, "3! EnvironmentFile"},
                    {X "EnvironmentFile=/a/*.env", NULL, "3! EnvironmentFile: \"/a/*.env\" is a pattern"});
}
END_TEST

START_TEST(settings_of_a_job)
{
        CHECK_CASES({X "User=%i\nGroup=7\nSupplementaryGroups=a b\nSupplementaryGroups=c",
                     RUN "User=a-b;Group=7;SupplementaryGroups=a b c;"},
                    {X "WorkingDirectory=/srv/%i\nUMask=0027\nNice=-5\nOOMScoreAdjust=100",
                     RUN "WorkingDirectory=/srv/a-b;UMask=23;Nice=-5;OOMScoreAdjust=100;"},
                    {X
                     "NoNewPrivileges=yes\nCapabilityBoundingSet=CAP_KILL CAP_CHOWN\nCapabilityBoundingSet=",
                     RUN "NoNewPrivileges=yes;"},
                    {X "LimitNOFILE=1024\nLimitCORE=infinity\nLimitAS=1G",
                     RUN "LimitNOFILE=1024;LimitCORE=inf;LimitAS=1073741824;"},
                    {X "LimitNOFILE=1024:2048", NULL, "3! LimitNOFILE"},
                    {X "KillSignal=SIGINT\nKillMode=mixed", RUN "KillSignal=2;KillMode=mixed;"},
                    {X "KillSignal=INTERRUPT", NULL, "3! KillSignal"},
                    {X "KillMode=process", NULL,
                     "3! KillMode: \"process\" must be one of \"control-group|mixed\"."},
                    {X "Labels=a=b \"c=d e\"\nLabels=a=f", RUN "Labels=a=f c=d e;"}, /* a name counts once */
                    {X "Labels=a", NULL, "3! Labels: \"a\" is not NAME=VALUE"},
                    {X "TTY=yes\nTTYRows=24\nTTYColumns=80\nTerm=vt100",
                     RUN "TTY=yes;TTYRows=24;TTYColumns=80;Term=vt100;"},
                    {X "MergeOutput=yes\nLogMaxBytes=2M\nKillOnExit=yes",
                     RUN "MergeOutput=yes;KillOnExit=yes;LogMaxBytes=2097152;"},
                    {X "StandardInput=data\nStandardInputText=one\\ttwo %i\nStandardInputText=three",
                     RUN "StandardInput=data;StandardInputText=one\ttwo a-b\nthree\n;"},
                    {X "StandardInputText=a\nStandardInputText=", RUN},
                    {X "StandardInputText=\\q", NULL, "3! StandardInputText: \"\\q\" has a backslash"},
                    {X "StandardInput=tty", NULL,
                     "3! StandardInput: \"tty\" must be one of \"null|data|pipe\"."},
                    {X "StandardOutput=journal\nStandardError=inherit", RUN},
                    {X "StandardOutput=null", RUN,
                     "3: StandardOutput=null: the output goes to the log of the job"},
                    {X "Nice=%i", NULL, "3! Nice: \"%i\" is not a whole number."}, {X "Nice=3\nNice=", RUN},
                    {X "Nice=20", NULL, "3! Nice: \"20\" is out of range."});
}
END_TEST

/* Those that this version may have, or not: what is wrong is refused in any case, what is right is kept or
 * warned of. */
START_TEST(limits_of_a_scope)
{
        static const struct {
                const char *right, *wrong;
                SettingId id;
                uint64_t value;
        } list[] = {
                        {"CPUQuota=20%", "CPUQuota=20", SETTING_CPU_QUOTA, 200000},
                        {"CPUQuota=150%", "CPUQuota=0%", SETTING_CPU_QUOTA, 1500000},
                        {"CPUQuota=12.5%", "CPUQuota=1.234%", SETTING_CPU_QUOTA, 125000},
                        {"CPUQuota=1.05%", "CPUQuota=.5%", SETTING_CPU_QUOTA, 10500},
                        {"MemoryMax=1G", "MemoryMax=much", SETTING_MEMORY_MAX, UINT64_C(1) << 30},
                        {"TasksMax=infinity", "TasksMax=0", SETTING_TASKS_MAX, UINT64_MAX},
                        {"CPUWeight=200", "CPUWeight=10001", SETTING_CPU_WEIGHT, 200},
        };

        for (size_t i = 0; i < ELEMENTSOF(list); i++) {
                _cleanup_free_ char *right = str_printf("[Service]\n" X "%s\n", list[i].right);
                _cleanup_free_ char *wrong = str_printf("[Service]\n" X "%s\n", list[i].wrong);
                _cleanup_parsed_ Parsed good = parse("a.service", right), bad = parse("a.service", wrong);

                ck_assert(!good.unit->refused);
                ck_assert_msg(bad.unit->refused, "%s was taken", wrong);
                ck_assert(good.unit->given[list[i].id] == (good.problems.n == 0));
                if (good.unit->given[list[i].id])
                        ck_assert_uint_eq(good.unit->values[list[i].id].unsigned_, list[i].value);
                else
                        ck_assert_ptr_nonnull(strstr(good.said, "3: "));
        }
}
END_TEST

START_TEST(what_reeve_does_not_have)
{
        CHECK_CASES({X "PrivateTmp=yes", RUN, "3: PrivateTmp= of systemd is not there in reeve; ignored."},
                    {X "RestartMode=direct", RUN, "3: RestartMode= of systemd"},
                    {X "ExecCondition=/x", RUN, "3: ExecCondition= of systemd"},
                    {X "LimitRTPRIO=1", RUN, "3: LimitRTPRIO= of systemd"},
                    {"[Service]\n" X "[Unit]\nOnFailure=a.service", RUN, "4: OnFailure= of systemd"},
                    {"[Service]\n" X "[Unit]\nBindsTo=a.service", RUN, "4: BindsTo= of systemd"},
                    {X "Nonsense=1", RUN, "3: Nonsense= is not known in [Service]; ignored."},
                    {X "nice=1", RUN, "3: nice= is not known in [Service]"}, /* case counts */
                    {X "Id=x", RUN, "3: Id= is not known in [Service]"},     /* only over the bus */
                    {X "RuntimeMaxUSec=1", RUN, "3: RuntimeMaxUSec= is not known"},
                    {X "KillOnDisconnect=yes", RUN, "3: KillOnDisconnect= is not known"},
                    {X "After=a.service", RUN, "3: After= belongs into [Unit], not into [Service]"},
                    {"[Service]\n" X "[Unit]\nExecStart=/y", RUN, "4: ExecStart= belongs into [Service]"},
                    {"[Service]\n" X "[Unit]\nUser=y", RUN, "4: User= belongs into [Service]"},
                    {X "X-Own=1\n[X-Section]\nA=b\nnonsense", RUN},
                    {X "[Socket]\nListenStream=1\nnonsense\n[Service]\nNice=1", RUN "Nice=1;",
                     "3: The section [Socket] is not known; ignored."});
}
END_TEST

START_TEST(broken_lines_refuse)
{
        CHECK_CASES({"nonsense\nExecStart=/x", NULL, "2! There is no = in this line."},
                    {"[Service\nExecStart=/x", NULL, "1! This is no header of a section"},
                    {"[Unit]\n=x\n[Service]\n" X, NULL, "2! There is nothing before the ="});
        {
                _cleanup_parsed_ Parsed p = parse("a.service", "Nice=1\n[Service]\n" X);

                ck_assert_str_eq(p.said, "1! Nice= stands before the first section.\n");
                ck_assert_str_eq(p.unit->reason, "/u/x.service:1: Nice= stands before the first section.");
        }
        {
                _cleanup_parsed_ Parsed p = parse_text("a.service", "[Service]\n" X "\0\n", 25);

                ck_assert_str_eq(p.said, "3! This file has a NUL byte.\n");
        }
}
END_TEST

START_TEST(everything_wrong_is_said_at_once)
{
        _cleanup_parsed_ Parsed p = parse("a.service", "[Service]\n" X "Nice=x\nUMask=9\nRestart=y\n");

        ck_assert_uint_eq(p.problems.n, 3);
        ck_assert_uint_eq(p.problems.n_refused, 3);
        ck_assert_str_eq(p.unit->reason, "/u/x.service:3: Nice: \"x\" is not a whole number.");
}
END_TEST

START_TEST(a_wrong_value_changes_nothing)
{
        _cleanup_parsed_ Parsed p = parse("a.service",
                                          "[Service]\n" X "Nice=3\nNice=x\nEnvironment=A=1\n"
                                          "Environment=B=2 C\nSuccessExitStatus=1\nSuccessExitStatus=2 x\n");
        _cleanup_free_ char *text = unit_text(p.unit);

        ck_assert_str_eq(text, "1:2 /x,/x;success 1 ;Environment=A=1;Nice=3;");
}
END_TEST

START_TEST(lists_have_an_end)
{
        static const char *const keys[] = {
                        "[Unit]\nAfter=", "[Service]\nEnvironment=", "[Service]\nLabels="};

        for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                for (unsigned n = 1024; n <= 1025; n++) {
                        Buffer b = BUFFER_INIT;
                        _cleanup_free_ char *text = NULL;

                        buffer_append_string(&b, "[Service]\n" X);
                        for (unsigned k = 0; k < n; k++) {
                                buffer_append_string(&b, keys[i]);
                                buffer_printf(&b, i == 0 ? "a%u.service\n" : "A%u=b\n", k);
                        }
                        text = buffer_take(&b, NULL);
                        {
                                _cleanup_parsed_ Parsed p = parse("a.service", text);

                                ck_assert_msg(p.unit->refused == (n > 1024), "%s%u: %s", keys[i], n, p.said);
                        }
                }
}
END_TEST

START_TEST(problems_have_an_end)
{
        Buffer b = BUFFER_INIT;
        _cleanup_free_ char *text = NULL;

        buffer_append_string(&b, "[Service]\n" X);
        for (unsigned i = 0; i < UNIT_PROBLEMS_MAX + 7; i++)
                buffer_append_string(&b, "Nice=x\n");
        text = buffer_take(&b, NULL);
        {
                _cleanup_parsed_ Parsed p = parse("a.service", text);

                for (unsigned i = 0; i < 7; i++)
                        unit_problems_add(&p.problems, "/x", 1, false, "a warning");
                ck_assert_uint_eq(p.problems.left_out, 14);
                p.problems.left_out -= 7;
                ck_assert_uint_eq(p.problems.n, UNIT_PROBLEMS_MAX);
                ck_assert_uint_eq(p.problems.left_out, 7);
                ck_assert_uint_eq(p.problems.n_refused, UNIT_PROBLEMS_MAX + 7);
        }
}
END_TEST

START_TEST(warnings_keep_no_refusal_out)
{
        UnitProblems p = UNIT_PROBLEMS_INIT;

        for (unsigned i = 0; i < UNIT_PROBLEMS_MAX; i++)
                unit_problems_add(&p, "/x", 1, false, "a warning");
        ck_assert_uint_eq(p.n, UNIT_WARNINGS_MAX);
        unit_problems_add(&p, "/x", 1, true, "refused");
        ck_assert_uint_eq(p.n, UNIT_WARNINGS_MAX + 1);
        ck_assert_str_eq(p.list[UNIT_WARNINGS_MAX].message, "refused");
        ck_assert_uint_eq(p.left_out, UNIT_PROBLEMS_MAX - UNIT_WARNINGS_MAX);
        unit_problems_done(&p);
}
END_TEST

START_TEST(reading_has_an_end)
{
        Buffer b = BUFFER_INIT;
        _cleanup_free_ char *text = NULL;

        buffer_append_string(&b, "[Service]\n" X);
        for (unsigned i = 0; i < 4097; i++)
                buffer_append_string(&b, "Labels=a=1 b=2 c=3 d=4\nLabels=\n");
        text = buffer_take(&b, NULL);
        {
                _cleanup_parsed_ Parsed p = parse("a.service", text);

                ck_assert(p.unit->refused);
                ck_assert_uint_eq(p.problems.list[0].line, 2 + 2 * 4096 + 1);
        }
}
END_TEST

START_TEST(problems_are_plain_text)
{
        UnitProblems p = UNIT_PROBLEMS_INIT;

        unit_problems_add(&p, "/a\nb\xff", 1, false, "c\x1b[1m\t%s\x7f", "d\xc3");
        ck_assert_str_eq(p.list[0].file, "/a b\xef\xbf\xbd");
        ck_assert_str_eq(p.list[0].message, "c [1m d\xef\xbf\xbd ");
        unit_problems_add(NULL, "x", 1, true, "nobody asks");
        unit_problems_done(&p);
}
END_TEST

START_TEST(every_setting_of_files_has_a_key)
{
        for (SettingId id = 0; id < _SETTING_MAX; id++) {
                bool bus_only = settings[id].flags & SETTING_BUS_ONLY;

                if (id == SETTING_CPU_QUOTA)
                        continue; /* CPUQuota= */
                ck_assert_msg(!!(settings[id].key && unit_key_section(settings[id].key)) == !bus_only, "%s",
                              settings[id].name);
        }
}
END_TEST

START_TEST(the_keys_of_systemd_are_sorted)
{
        ck_assert(systemd_key_exists("Unit", "After"));
        ck_assert(systemd_key_exists("Unit", "Wants"));
        ck_assert(systemd_key_exists("Service", "WorkingDirectory"));
        ck_assert(systemd_key_exists("Service", "AllowedCPUs"));
        ck_assert(systemd_key_exists("Service", "ExecStart"));
        ck_assert(systemd_key_exists("Install", "Alias"));
        ck_assert(!systemd_key_exists("Service", "After"));
        ck_assert(!systemd_key_exists("Unit", ""));
}
END_TEST

TEST_MAIN("unit-parse", the_unit_section, the_install_section, types, what_must_be_there, commands, times,
          restarts, environments, settings_of_a_job, limits_of_a_scope, what_reeve_does_not_have,
          broken_lines_refuse, everything_wrong_is_said_at_once, a_wrong_value_changes_nothing,
          lists_have_an_end, problems_have_an_end, warnings_keep_no_refusal_out, reading_has_an_end,
          problems_are_plain_text, every_setting_of_files_has_a_key, the_keys_of_systemd_are_sorted)
