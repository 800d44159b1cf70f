"""The base of every box test: one reeve a class, and after each test proof that it left nothing behind."""

import time
import unittest

from client import DBUS_ERROR, DBusError, ERROR
from rig import Reeve, eventually, sanitized


class BoxCase(unittest.TestCase):
    """One reeve for all tests of a class; self.bus is a connection to it.

    options   of Reeve, for the class
    """

    options = {}
    reeve = None
    bus = None

    @classmethod
    def setUpClass(cls):
        cls.reeve = Reeve(**cls.options)
        try:
            cls.reeve.start()
            cls.bus = cls.reeve.connect()
        except BaseException:
            cls.reeve.dump()
            cls.reeve.destroy()
            raise

    @classmethod
    def tearDownClass(cls):
        try:
            status = cls.reeve.stop()
            if status != 0:
                raise AssertionError(f"reeve ended with {status} upon SIGTERM, without a main job; 0 is due")
            if lines := cls.reeve.crashed():
                raise AssertionError("reeve's own log:\n" + "\n".join(lines))
            cls.reeve.no_leftovers()
        except BaseException:
            cls.reeve.dump()
            raise
        finally:
            cls.reeve.destroy()

    def tearDown(self):
        """Ends the test's jobs. Then there must be no process but PID 1, no zombie and no scope."""
        try:
            self.assertTrue(self.reeve.alive(), f"reeve ended during the test: {self.reeve.process.poll()}")
            ids, pids, remaining = self.bus.stop({"All": True}, TimeoutStopUSec=0)
            self.assertEqual(remaining, 0, f"processes of {ids} outlived a Stop with SIGKILL: {pids}")
            eventually(lambda: not self.reeve.processes(), 10,
                       lambda: f"no process is left: {self.reeve.describe(self.reeve.processes())}")
            eventually(lambda: not self.reeve.scopes(), 10, lambda: f"no scope is left: {self.reeve.scopes()}")
        except BaseException:
            self.reeve.dump()
            raise

    def run(self, result=None):
        """As usual, and with a look at reeve when the test failed. Where an earlier test has ended reeve, that is that
        test's failure: the next one gets a new one."""
        if self.reeve and not self.reeve.alive():
            self.reeve.destroy()
            type(self).setUpClass()
        before = len(result.failures) + len(result.errors) if result else 0
        super().run(result)
        if result and self.reeve and self.reeve.alive() and len(result.failures) + len(result.errors) > before:
            self.reeve.dump()
        return result

    # -- assertions

    def assert_error(self, name, *words, call):
        """call() fails with the D-Bus error name (org.reeve1.Error. or org.freedesktop.DBus.Error. may be left out),
        and its message holds the words."""
        with self.assertRaises(DBusError) as caught:
            value = call()
            self.fail(f"{name} is due; answered {value}")
        self.assertIn(caught.exception.name, (name, ERROR + name, DBUS_ERROR + name), caught.exception.message)
        for word in words:
            self.assertIn(word, caught.exception.message)
        return caught.exception

    def assert_between(self, low, value, high, what=None):
        self.assertGreaterEqual(value, low, what)
        self.assertLessEqual(value, high, what)

    def assert_memory(self, before, limit, reeve=None, timeout=0):
        """reeve's memory is less than limit over what it was; or will be soon."""
        reeve = reeve or self.reeve
        if not sanitized():
            eventually(lambda: reeve.memory() - before < limit, timeout,
                       lambda: f"less than {limit} bytes more: {reeve.memory() - before}")

    def assert_fds_back(self, before, reeve=None):
        """reeve has as many descriptors open as at the time of before. Clean-up may lag behind a reply."""
        reeve = reeve or self.reeve
        eventually(lambda: reeve.fds() == before, 10, lambda: f"{before} descriptors are open again: {reeve.fds()}")

    def assert_all_reaped(self):
        """An empty scope is known of a moment before its last process can be reaped."""
        eventually(lambda: not self.reeve.processes(), 30, lambda: f"no process is left: {self.reeve.describe(self.reeve.processes())}")

    def assert_ended(self, pid, reeve=None):
        """The process with that pid of the box is gone, not even a zombie."""
        reeve = reeve or self.reeve
        eventually(lambda: reeve.host_pid(pid) is None, 10, f"process {pid} of the box is gone")

    def assert_outcome(self, outcome, result, exit_code=None, signal=0, message=None):
        if exit_code is None:
            exit_code = -1 if signal else 0
        self.assertEqual((outcome.result, outcome.exit_code, outcome.signal), (result, exit_code, signal), message)


class Stopwatch:
    """with Stopwatch() as watch: …; watch.seconds"""

    def __enter__(self):
        self.start = time.monotonic()
        self.seconds = None
        return self

    def __exit__(self, *_):
        self.seconds = time.monotonic() - self.start


class FreshCase(unittest.TestCase):
    """For tests that each start reeves of their own, with self.box(...)."""

    assert_error = BoxCase.assert_error
    assert_between = BoxCase.assert_between
    assert_memory = BoxCase.assert_memory
    assert_outcome = BoxCase.assert_outcome

    def setUp(self):
        self.boxes = []

    def box(self, *args, wait=True, **options):
        """A started reeve; reeve.bus is a connection to it, if waited for."""
        reeve = Reeve(args, **options)
        self.boxes.append(reeve)
        reeve.start(wait=wait)
        if wait and reeve.address:
            reeve.bus = reeve.connect()
            if "--" in args:
                eventually(lambda: "main" in reeve.bus.job_ids(), 10, "the main job runs")
        return reeve

    def run(self, result=None):
        before = len(result.failures) + len(result.errors) if result else 0
        super().run(result)
        failed = result and len(result.failures) + len(result.errors) > before
        for reeve in getattr(self, "boxes", []):
            if failed:
                reeve.dump()
            reeve.destroy()
        return result
