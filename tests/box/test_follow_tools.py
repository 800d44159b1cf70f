"""What journalctl and reevectl make of a log that is followed."""

import signal
import subprocess
import tempfile

from case import BoxCase
from rig import reevectl_binary
from test_follow import drain, entries


class TestJournal(BoxCase):
    """The export format through systemd-journal-remote, read by journalctl."""

    REMOTE = "/lib/systemd/systemd-journal-remote"

    def journal_of(self, export):
        with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
            file = f"{folder}/x.journal"
            subprocess.run([self.REMOTE, f"--output={file}", "-"], input=export, check=True, capture_output=True, timeout=60)
            read = subprocess.run(["journalctl", f"--file={file}", "-o", "json", "--no-pager", "-a"], check=True,
                                  capture_output=True, timeout=60)
        return entries(read.stdout)

    def test_every_record(self):
        """Text, binary, empty, partial and large ones, all there in order; and our json says what journalctl's does."""
        job = self.bus.start_sh(r"""
            for i in $(seq 1 5000); do echo "line $i"; done
            printf 'binary \001\377\n'; printf '\n'; printf 'tab\there\n'; printf 'colour \033[1mbold\033[0m\n'
            printf '\342\202\254 quote " back \\ slash\n' >&2; head -c 40000 /dev/zero | tr '\0' y; echo
            printf unfinished; exit 3""")
        self.bus.wait(job.id)
        ours = entries(drain(self.bus.follow(job.id, Format="json")))
        theirs = self.journal_of(drain(self.bus.follow(job.id, Format="export")))
        self.assertEqual(len(theirs), len(ours))
        self.assertGreater(len(ours), 5007)
        for a, b in zip(ours, theirs):
            del a["__CURSOR"]               # theirs is of their file
            for key in ("__CURSOR", "_BOOT_ID", "__SEQNUM", "__SEQNUM_ID"):
                b.pop(key, None)
            for entry in (a, b):            # that of the end is the moment it was told
                if entry.get("REEVE_EVENT") == "end":
                    del entry["__REALTIME_TIMESTAMP"], entry["__MONOTONIC_TIMESTAMP"]
            self.assertEqual(a, b)

    def test_losses(self):
        job = self.bus.start(["seq", "1", "100000"], LogMaxBytes=1 << 16)
        self.bus.wait(job.id)
        got = self.journal_of(drain(self.bus.follow(job.id, Format="export")))
        self.assertEqual((got[0]["REEVE_EVENT"], got[-1]["REEVE_EVENT"]), ("lost", "end"))
        self.assertEqual(int(got[0]["REEVE_LOST_RECORDS"]) + len(got) - 2, 100000)


class TestReevectl(BoxCase):

    def ctl(self, *args):
        done = self.reeve.reevectl("logs", *args)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        return done.stdout

    def popen(self, *args, **options):
        return subprocess.Popen([reevectl_binary(), f"--address={self.reeve.address}", "logs", "-f", *args],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)

    def test_follows_in_every_format(self):
        job = self.bus.start_sh("echo a; echo b >&2; sleep 0.3; echo c; exit 3")
        self.assertEqual(sorted(self.ctl("-f", "-o", "raw", job.id).split()), [b"a", b"b", b"c"])
        self.assertEqual(len(self.ctl("-f", job.id).splitlines()), 3)
        self.assertEqual(entries(self.ctl("-f", "--json", job.id))[-1]["REEVE_EXIT_CODE"], "3")
        self.assertEqual(self.ctl("-f", "-o", "export", job.id).count(b"\n\n"), 4)
        self.assertEqual(self.ctl("-f", "-n1", "-o", "raw", "--stdout", job.id), b"c\n")
        self.assertEqual(self.ctl("-f", "--since=1h", "-o", "raw", "--stderr", job.id), b"b\n")
        self.assertEqual(self.ctl("-f", "--cursor=tail", "-o", "raw", job.id), b"")
        self.assertEqual(self.ctl("-o", "export", job.id).count(b"\nMESSAGE="), 3)

    def test_raw_bytes(self):
        """Exactly those that were written, whatever they are; and a loss is said on stderr."""
        job = self.bus.start(["sh", "-c", r"printf 'a\n\n\377\001=\n'; head -c 100000 /dev/urandom; printf '\nend'"])
        self.bus.wait(job.id)
        self.assertEqual(self.ctl("-f", "-o", "raw", job.id), self.bus.output(job.id)[0])
        job = self.bus.start(["seq", "1", "100000"], LogMaxBytes=1 << 16)
        self.bus.wait(job.id)
        done = self.reeve.reevectl("logs", "-f", "-o", "raw", job.id)
        total = sum(len(str(i)) + 1 for i in range(1, 100001))
        self.assertEqual(done.stderr.decode(), f"reevectl: {total - len(done.stdout)} bytes of the log are no longer held\n")
        self.assertEqual(done.stdout, b"".join(b"%d\n" % i for i in range(1, 100001))[-len(done.stdout):])

    def test_its_reader_goes(self):
        """| head -1: it ends, though nothing more comes, and says nothing."""
        job = self.bus.start_sh("echo a; sleep 1000")
        with self.popen("-o", "raw", job.id) as follower:
            self.assertEqual(follower.stdout.readline(), b"a\n")
            follower.stdout.close()
            follower.wait(30)
            self.assertEqual(follower.stderr.read(), b"")
        self.assertTrue(self.bus.property("Running", job.id))

    def test_interrupted(self):
        job = self.bus.start_sh("echo a; sleep 1000")
        with self.popen("-o", "raw", job.id) as follower:
            self.assertEqual(follower.stdout.readline(), b"a\n")
            follower.send_signal(signal.SIGINT)
            self.assertEqual(follower.wait(30), -signal.SIGINT)
        self.assertTrue(self.bus.property("Running", job.id))

    def test_says_what_is_wrong(self):
        self.assertNotEqual(self.reeve.reevectl("logs", "-f", "nix").returncode, 0)
        job = self.bus.start_sh("true")
        done = self.reeve.reevectl("logs", "-f", "--cursor=x", job.id)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(b"cursor", done.stderr)
