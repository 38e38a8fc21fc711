# SPDX-License-Identifier: MIT
"""What the command does in a runtime folder that is not what it should be: nothing."""
import os
import pathlib
import struct
import time
import unittest

from command import CommandTest

MAGIC = 0x006472616f627665


class Folder(CommandTest):
    def setUp(self):
        super().setUp()
        self.evring = pathlib.Path(self.folder.name) / "evring"

    def make(self, path, mode=0o700):
        path.mkdir(parents=True)
        path.chmod(mode)
        return path

    def files(self, folder):
        return sorted(each.name for each in folder.iterdir())

    def test_stat_deletes_the_files_of_another_folder(self):
        victim = self.make(pathlib.Path(self.folder.name) / "victim")
        (victim / "letter").write_text("dear all")
        page = struct.pack("<QQ", MAGIC, 1) + bytes(4080)  # as the board writes it
        (victim / "page").write_bytes(page)
        self.make(self.evring)
        (self.evring / "consumers").symlink_to(victim)
        done = self.run_it("stat", "--interval", "0.01")
        self.assertEqual(self.files(victim), ["letter", "page"])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn(f"{self.evring}/consumers: not a folder (links are not followed)",
                      done.stderr)

    def test_stat_deletes_what_is_no_file_of_the_board(self):
        board = self.make(self.evring / "consumers")
        (board / "letter").write_text("dear all")
        (board / "page").write_bytes(bytes(4096))
        (board / "folder").mkdir()
        os.mkfifo(board / "pipe")
        victim = pathlib.Path(self.folder.name) / "victim"
        victim.write_bytes(struct.pack("<QQ", MAGIC, 1) + bytes(4080))
        (board / "link").symlink_to(victim)
        self.assertEqual(self.run_it("stat", "--interval", "0.01").returncode, 0)
        self.assertEqual(self.files(board), ["folder", "letter", "link", "page", "pipe"])
        self.assertTrue(victim.exists())

    def test_what_a_dead_consumer_left_is_removed(self):
        board = self.make(self.evring / "consumers")
        (board / "1-0").write_bytes(struct.pack("<QQ", MAGIC, 1) + bytes(4080))
        self.assertEqual(self.run_it("stat", "--interval", "0.01").returncode, 0)
        self.assertEqual(self.files(board), [])

    def test_a_folder_that_others_may_write_is_refused_with_a_word(self):
        self.make(self.evring, 0o777)
        word = f"{self.evring}: others may write it; chmod go-w it"
        self.check_error(self.run_it("add", "--local", "x"), 1, word)
        self.check_error(self.run_it("watch", "local:x"), 1, word, "EVRING_RUNTIME_DIR")
        for words in (("list",), ("stat", "--interval", "0.01")):
            done = self.run_it(*words)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(done.stderr.count(word), 1, done.stderr)

    def test_a_name_that_no_ring_has_is_not_printed(self):
        self.make(self.evring)
        (self.evring / "a\x1b[31mb.sock").touch()
        done = self.run_it("list", "--local")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertNotIn("\x1b", done.stdout)

    @unittest.skipUnless(os.geteuid() == 0, "root alone can be somebody else")
    def test_a_board_that_may_not_be_read_does_not_end_stat(self):
        os.chmod(self.folder.name, 0o755)
        shared = self.make(pathlib.Path(self.folder.name) / "shared", 0o1777)
        self.make(shared / "consumers")
        self.env["EVRING_RUNTIME_DIR"] = str(shared)
        done = self.run_it("stat", "--interval", "0.01", "--count", "3", user=65534)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr.count(f"{shared}/consumers"), 1, done.stderr)
        self.assertIn("no rings", done.stdout)

    @unittest.skipUnless(os.geteuid() == 0, "root alone can read what is not for all")
    def test_others_see_consumers_whatever_the_umask(self):
        os.chmod(self.folder.name, 0o755)
        shared = self.make(pathlib.Path(self.folder.name) / "shared", 0o1777)
        self.env["EVRING_RUNTIME_DIR"] = str(shared)
        self.start("add", "--local", "ours")
        self.await_local("ours")
        self.start("watch", "local:ours", umask=0o077)
        deadline = time.monotonic() + 30
        while not (shared / "consumers").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        (page,) = (shared / "consumers").iterdir()
        while page.stat().st_mode & 0o777 != 0o644 and time.monotonic() < deadline:
            time.sleep(0.01)
        self.assertEqual(page.stat().st_mode & 0o777, 0o644)

    def test_rings_are_found_in_a_folder_that_all_name(self):
        shared = self.make(pathlib.Path(self.folder.name) / "shared", 0o1777)
        self.env["EVRING_RUNTIME_DIR"] = str(shared)
        self.start("add", "--local", "ours")
        self.await_local("ours")
        self.assertTrue((shared / "ours.sock").exists())
        self.assertFalse(self.evring.exists())


if __name__ == "__main__":
    unittest.main()
