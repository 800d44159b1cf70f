"""Units that name each other: what is started, in which order, and what comes of it when one of them fails."""

from rig import eventually, write_file
from units import LONG, UnitsCase

SLEEP = "ExecStart=/bin/sleep 1000"


class TestOrder(UnitsCase):

    def noting(self, name, *lines, **options):
        """One that is up, once its start was noted, until it is stopped, which is noted, too."""
        self.unit(name, "Type=oneshot", "RemainAfterExit=yes", "ExecStart=" + self.note(f"+{name}"), "ExecStop=" + self.note(f"-{name}"),
                  *lines, **options)

    def assert_order(self, *words):
        said = self.said()
        places = [said.index(word) for word in words]
        self.assertEqual(places, sorted(places), said)

    def test_requires_and_after(self):
        self.noting("a", unit=["Requires=b.service", "After=b.service"])
        self.noting("b", unit=["Requires=c.service", "After=c.service"])
        self.noting("c")
        self.assertEqual(self.reload(), [])
        self.start("a")
        self.assertEqual(self.said(), ["+c", "+b", "+a"])
        self.stop("c")
        self.assertEqual(self.said(), ["+c", "+b", "+a", "-a", "-b", "-c"])
        self.assertEqual({u["ActiveState"] for u in self.units.list().values()}, {"inactive"})

    def test_before(self):
        self.noting("a", unit=["Wants=b.service", "Before=b.service"])
        self.noting("b")
        self.reload()
        self.start("a")
        self.wait("b", "active")
        self.assertEqual(self.said(), ["+a", "+b"])
        self.stop("a")
        self.assertEqual(self.active("b"), "active")

    def test_after_alone_starts_nothing(self):
        self.noting("a", unit="After=b.service nix.service some.target sys-x.device")
        self.noting("b")
        self.assertEqual(self.reload(), [])
        self.start("a")
        self.assertEqual(self.said(), ["+a"])
        self.assertEqual(self.active("b"), "inactive")

    def test_after_one_that_is_starting(self):
        self.unit("slow", "Type=oneshot", "RemainAfterExit=yes", "ExecStart=" + self.sh(f"echo begin >>{self.folder.diary}; "
                  f"while ! [ -e {self.reeve.shared}/slow-go ]; do sleep 0.02; done; echo end >>{self.folder.diary}"))
        self.noting("quick", unit="After=slow.service")
        self.reload()
        slow = self.later("StartUnit", "slow")
        self.wait_said("begin")
        quick = self.later("StartUnit", "quick")
        self.wait("slow", "activating")
        self.bus.ping()
        self.assertEqual(self.said(), ["begin"])
        write_file(f"{self.reeve.shared}/slow-go", "")
        quick.result(LONG)
        slow.result(LONG)
        self.assertEqual(self.said(), ["begin", "end", "+quick"])

    def test_a_required_one_that_fails(self):
        self.unit("bad", "Type=oneshot", "ExecStart=/bin/false")
        self.unit("bad-pre", "ExecStartPre=/bin/false", SLEEP)
        self.noting("needs", unit=["Requires=bad.service", "After=bad.service"])
        self.noting("needs-pre", unit=["Requires=bad-pre.service", "After=bad-pre.service"])
        self.noting("wants", unit=["Wants=bad.service", "After=bad.service"])
        self.noting("far", unit=["Requires=needs.service", "After=needs.service"])
        self.reload()
        for name in ("needs", "needs-pre", "far"):
            with self.subTest(name=name):
                self.assert_error("StartFailed", "dependency", call=lambda: self.start(name))
                state = self.state(name)
                self.assertEqual(state["Result"], "dependency")
                self.assertIn(state["ActiveState"], ("inactive", "failed"))
        self.start("wants")
        self.assertEqual(self.said(), ["+wants"])

    def test_wants(self):
        self.noting("a", unit="Wants=b.service nix.service masked.service")
        self.noting("b")
        self.file("masked.service", "")
        self.reload()
        self.start("a")
        self.wait("b", "active")
        self.stop("b")
        self.assertEqual(self.active("a"), "active")

    def test_a_condition_fails_nobody(self):
        self.noting("not", unit="ConditionPathExists=/nonexistent")
        self.noting("a", unit=["Requires=not.service", "After=not.service"])
        self.reload()
        self.start("a")
        self.assertEqual(self.said(), ["+a"])

    def test_conflicts(self):
        self.noting("day", unit=["Conflicts=night.service", "After=night.service"])
        self.noting("night")
        self.reload()
        self.start("day")
        self.start("night")
        self.assertEqual((self.active("day"), self.active("night")), ("inactive", "active"))
        self.start("day")
        self.assertEqual((self.active("day"), self.active("night")), ("active", "inactive"))
        self.assertEqual(self.said(), ["+day", "-day", "+night", "-night", "+day"])

    def test_at_odds_with_itself(self):
        """Whoever wants two that exclude each other gets an answer, not a hang."""
        self.noting("both", unit="Wants=x.service y.service")
        self.noting("x", unit="Conflicts=y.service")
        self.noting("y")
        self.noting("odd", unit=["Requires=x.service", "Conflicts=x.service"])
        self.reload()
        for name in ("both", "odd"):
            try:
                self.start(name)
            except Exception as e:
                self.assertTrue(hasattr(e, "name"), repr(e))
        self.bus.ping()
        eventually(lambda: not {"activating", "deactivating"} & {u["ActiveState"] for u in self.units.list().values()}, 30,
                   lambda: self.units.list())
        self.assertFalse(self.active("x") == "active" and self.active("y") == "active")

    def test_a_circle(self):
        names = ("one", "two", "three", "four")
        for name, next in zip(names, names[1:] + names[:1]):
            self.noting(name, unit=[f"After={next}.service", f"Wants={next}.service"])
        problems = self.reload()
        self.assertTrue(any(all(name in p[2] for name in names) for p in problems), problems)
        self.start("one")
        for name in names:
            self.wait(name, "active")
        self.assertEqual(sorted(self.said()), sorted(f"+{name}" for name in names))
        # All edges but one are held: read from some place on, they are in the order of the circle, reversed.
        said = [word[1:] for word in self.said()]
        held = sum(said.index(next) < said.index(name) for name, next in zip(names, names[1:] + names[:1]))
        self.assertEqual(held, 3, said)

    def test_itself(self):
        self.noting("self", unit=["After=self.service", "Wants=self.service", "Requires=self.service"])
        self.noting("hates", unit=["Conflicts=hates.service"])
        self.reload()
        for name in ("self", "hates"):
            try:
                self.start(name)
            except Exception as e:
                self.assertTrue(hasattr(e, "name"), repr(e))
        self.bus.ping()

    def test_requires_in_a_circle(self):
        self.noting("a", unit="Requires=b.service")
        self.noting("b", unit="Requires=a.service")
        self.reload()
        self.start("a")
        self.wait("b", "active")
        self.stop("a")
        self.wait("b", "inactive")
        self.assertEqual(self.active("a"), "inactive")

    def test_restart_takes_along_what_requires_it(self):
        self.noting("base")
        self.noting("top", unit=["Requires=base.service", "After=base.service"])
        self.reload()
        self.start("top")
        self.restart("base")
        self.wait("top", "active")
        self.assertEqual(self.said(), ["+base", "+top", "-top", "-base", "+base", "+top"])

    def test_instances(self):
        self.noting("t@")
        self.noting("user", unit=["Requires=t@two.service", "After=t@two.service"])
        self.reload()
        self.start("t@one")
        self.start("user")
        self.assertEqual((self.active("t@one"), self.active("t@two")), ("active", "active"))
        self.stop("t@two")
        self.assertEqual((self.active("t@one"), self.active("user")), ("active", "inactive"))


class TestMany(UnitsCase):
    """200 units at once."""

    weight = 3

    def unit_of(self, name, unit=()):
        self.unit(name, "Type=oneshot", "RemainAfterExit=yes", f"ExecStart={self.reeve.shared}/say +{name}",
                  f"ExecStop={self.reeve.shared}/say -{name}", unit=unit)

    def setUp(self):
        super().setUp()
        write_file(f"{self.reeve.shared}/say", f"#!/bin/sh\necho $1 >>{self.folder.diary}\n")
        self.bus.exec(["chmod", "755", f"{self.reeve.shared}/say"])

    def test_chain_and_fan(self):
        """A chain of 100, and a fan of 100 that stand after the chain's middle and before its end."""
        chain, fan = [f"c{i}" for i in range(100)], [f"f{i}" for i in range(100)]
        for i, name in enumerate(chain):
            self.unit_of(name, [f"After=c{i - 1}.service", f"Requires=c{i - 1}.service"] if i else [])
        for name in fan:
            self.unit_of(name, ["After=c50.service", "Before=c99.service"])
        self.unit_of("all", [f"Wants={' '.join(f'{name}.service' for name in chain + fan)}",
                             f"After={' '.join(f'{name}.service' for name in chain + fan)}"])
        self.assertEqual(self.reload(), [])
        self.start("all")
        said = self.said()
        self.assertEqual(sorted(said), sorted(f"+{name}" for name in [*chain, *fan, "all"]))
        self.assertEqual([w for w in said if w[1] == "c"], [f"+{name}" for name in chain])
        self.assertEqual(said[-1], "+all")
        for name in fan:
            self.assertTrue(said.index("+c50") < said.index(f"+{name}") < said.index("+c99"), name)
        self.assertEqual({u["ActiveState"] for u in self.units.list().values()}, {"active"})
        self.stop("c0")
        said = self.said()[201:]
        self.assertEqual([w for w in said if w[1] == "c"], [f"-{name}" for name in reversed(chain)])
        self.assertEqual(self.active("all"), "active")

    def test_all_at_once(self):
        """200 starts at the same time, 200 stops at the same time; every second one fails."""
        for i in range(200):
            self.unit(f"u{i}", SLEEP if i % 2 else "ExecStartPre=/bin/false", *([] if i % 2 else [SLEEP]))
        self.reload()
        calls = [self.later("StartUnit", f"u{i}") for i in range(200)]
        for i, call in enumerate(calls):
            if i % 2:
                call.result(LONG)
            else:
                self.assert_error("StartFailed", "exit-code", call=lambda: call.result(LONG))
        self.assertEqual({name: unit["ActiveState"] for name, unit in self.units.list().items()},
                         {f"u{i}.service": "active" if i % 2 else "failed" for i in range(200)})
        self.assert_processes(100)
        calls = [self.later("StopUnit", f"u{i}") for i in range(200)]
        for call in calls:
            call.result(LONG)
        self.assert_all_reaped()

    def test_a_thousand(self):
        """As many files as are read; the next is refused, loudly."""
        for i in range(1000):
            self.unit(f"m{i:04}", "ExecStart=/bin/true", unit=[f"After=m{i - 1:04}.service"] if i else [])
        self.assertEqual(self.reload(), [])
        self.assertEqual(len(self.units.list()), 1000)
        self.start("m0999")
        self.unit("n", SLEEP)
        self.assertNotEqual(self.reload(), [])
        self.assertTrue(self.reeve.alive())
