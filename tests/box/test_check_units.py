"""reeve --check-units: what it says of unit files, whose precedence counts, and that it starts nothing."""

import os
import shutil
import subprocess
import tempfile
import unittest

from rig import reeve_binary

RUN = "[Service]\nExecStart=/bin/true\n"


class CheckUnits(unittest.TestCase):
    """Folders a, b and c; it is run as what it is, a program that ends."""

    def setUp(self):
        self.place = tempfile.mkdtemp(prefix="reeve-units-")
        self.addCleanup(shutil.rmtree, self.place)
        for name in "abc":
            os.mkdir(f"{self.place}/{name}")

    def file(self, path, text):
        path = f"{self.place}/{path}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())

    def reeve(self, *arguments):
        return subprocess.run([reeve_binary(), *arguments], cwd=self.place,
                              capture_output=True, text=True, timeout=60)

    def check(self, status, said, *arguments):
        done = self.reeve("--check-units", *arguments)
        self.assertEqual((done.stdout, done.stderr, done.returncode), (said, "", status))

    def test_nothing_is_wrong(self):
        self.file("a/web.service", "[Unit]\nDescription=of %H\nAfter=db@1.service\n" + RUN)
        self.file("a/db@.service", RUN)
        self.file("a/README", "not a unit")
        self.check(0, "", "a")
        self.check(0, "", "a", "b")

    def test_a_refusal_names_file_and_line(self):
        self.file("a/web.service", RUN + "RestartSec=soon\n")
        self.file("a/good.service", RUN)
        self.check(1, 'a/web.service:3: RestartSec: "soon" is not a span of time, such as 90, 1min 30s, 100ms or infinity.\n', "a")

    def test_a_warning_is_no_failure(self):
        self.file("a/web.service", RUN + "\nPrivateTmp=yes\nPrivateTemp=yes\n")
        self.check(0, "a/web.service:4: PrivateTmp= of systemd is not there in reeve; ignored.\n"
                      "a/web.service:5: PrivateTemp= is not known in [Service]; ignored.\n", "a")

    def test_everything_is_said(self):
        self.file("a/one.service", RUN + "Nice=x\nUMask=9\n")
        self.file("a/two.service", "[Unit]\nRequires=gone.service\n" + RUN)
        done = self.reeve("--check-units", "a")
        self.assertEqual(done.returncode, 1)
        self.assertEqual([line.split(" ")[0] for line in done.stdout.splitlines()],
                         ["a/one.service:3:", "a/one.service:4:", "a/two.service:"])

    def test_templates_are_checked(self):
        self.file("a/web@.service", RUN + "Nice=%i\n")
        self.check(1, 'a/web@.service:3: Nice: "%i" is not a whole number.\n', "a")

    def test_the_first_folder_has_precedence(self):
        self.file("a/web.service", RUN)
        self.file("b/web.service", "nonsense\n")
        self.file("c/other.service", RUN)
        self.check(0, "", "a", "b", "c")
        self.check(1, "b/web.service:1: There is no = in this line.\n", "b", "a")
        self.check(0, "", "--units=a", "--units=b")
        self.check(1, "b/web.service:1: There is no = in this line.\n", "--units=b", "a")

    def test_a_link_to_null_masks(self):
        os.symlink("/dev/null", f"{self.place}/a/web.service")
        self.file("b/web.service", "nonsense\n")
        self.check(0, "", "a", "b")
        self.file("c/needs.service", "[Unit]\nRequires=web.service\n" + RUN)
        self.check(1, 'c/needs.service: Requires: "web.service" is masked.\n', "a", "b", "c")

    def test_drop_ins(self):
        self.file("a/web.service", RUN + "Nice=1\n")
        self.file("b/web.service.d/10.conf", "[Service]\n\nNice=high\n")
        self.check(1, 'b/web.service.d/10.conf:3: Nice: "high" is not a whole number.\n', "a", "b")
        self.file("a/web.service.d/10.conf", "[Service]\nNice=2\n")
        self.check(0, "", "a", "b")

    def test_circles(self):
        for name, after in ("one", "two"), ("two", "three"), ("three", "one"):
            self.file(f"a/{name}.service", f"[Unit]\nAfter={after}.service\n" + RUN)
        done = self.reeve("--check-units", "a")
        self.assertEqual(done.returncode, 0)
        self.assertIn("one.service after two.service after three.service after one.service", done.stdout)
        self.assertEqual(done.stdout.count("\n"), 1)

    def test_what_is_no_text(self):
        self.file("a/a.service", b"\xef\xbb\xbf" + RUN.encode())
        self.file("a/b.service", RUN.encode() + b"Description=\xff\n")
        self.file("a/c.service", RUN.encode() + b"#\0\n")
        self.file("a/d.service", RUN + "Environment=A=" + "x" * 65536)
        done = self.reeve("--check-units", "a")
        self.assertEqual(done.returncode, 1)
        self.assertEqual([line.split(" ")[0] for line in done.stdout.splitlines()],
                         ["a/a.service:1:", "a/b.service:3:", "a/c.service:3:", "a/d.service:3:"])

    def test_a_fifo_does_not_hold_it_up(self):
        os.mkfifo(f"{self.place}/a/web.service")
        self.check(1, "a/web.service: This is not a regular file.\n", "a")

    def test_a_folder_that_is_not_there(self):
        self.check(1, "nowhere: This folder cannot be read: No such file or directory.\n", "nowhere")

    def test_the_default_folders_need_not_be_there(self):
        done = self.reeve("--check-units")
        self.assertEqual(done.stderr, "")
        self.assertIn(done.returncode, (0, 1))  # they are the machine's

    def test_nothing_is_started(self):
        self.file("a/web.service", f"[Service]\nExecStart=/usr/bin/touch {self.place}/started\n[Install]\nWantedBy=default\n")
        self.check(0, "", "a")
        self.assertFalse(os.path.exists(f"{self.place}/started"))

    def test_text_of_files_reaches_no_terminal(self):
        self.file("a/web.service", RUN + "Nice=\x1b[31m\n")
        self.check(1, 'a/web.service:3: Nice: " [31m" is not a whole number.\n', "a")

