"""Both storages do the same, and the folder that stands for a volume refuses what a volume refuses."""

import errno
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from coinlake import files
from coinlake.files import LocalFolder, Volume
from tests.support import volume


@pytest.fixture
def mounted(tmp_path, monkeypatch):
    """A folder that is a volume."""
    folder = tmp_path / "volume"
    folder.mkdir()
    volume.install(monkeypatch, folder)
    return folder


@pytest.fixture(params=[LocalFolder, Volume])
def place(request, tmp_path):
    """A storage and its folder."""
    if request.param is Volume:
        return Volume(), request.getfixturevalue("mounted")
    return LocalFolder(), tmp_path


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_new_file_is_written_once(place):
    storage, folder = place
    storage.write_new(folder / "a" / "b", b"one")
    with pytest.raises(FileExistsError):
        storage.write_new(folder / "a" / "b", b"two")
    assert tree(folder) == {"a/b": b"one"}


def test_a_file_can_be_written_again_whole(place):
    storage, folder = place
    storage.write(folder / "a" / "b", b"longer")
    storage.write(folder / "a" / "b", b"short")
    assert tree(folder) == {"a/b": b"short"}


def test_a_disk_that_is_full_leaves_the_old_file_and_no_beginning_of_the_new_one(tmp_path, monkeypatch):
    def refuse(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    LocalFolder().write(tmp_path / "a", b"old")
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="No space left on device"):
        LocalFolder().write(tmp_path / "a", b"new")
    assert tree(tmp_path) == {"a": b"old"}


def test_a_folder_gets_its_final_name(place):
    storage, folder = place
    for name in ("1", "x/2"):
        storage.write_new(folder / "staged" / name, name.encode())
    storage.move(folder / "staged", folder / "final" / "name")
    storage.move(folder / "final" / "name" / "1", folder / "other" / "3")
    storage.remove(folder / "staged")
    storage.remove(folder / "never there")
    found = tree(folder)
    assert (found["other/3"], found["final/name/x/2"]) == (b"1", b"x/2")
    assert found.keys() - {"final/name/1"} == {"other/3", "final/name/x/2"}


def test_what_has_the_final_name_is_never_overwritten(place):
    storage, folder = place
    storage.write_new(folder / "staged" / "1", b"mine")
    storage.write_new(folder / "final" / "1", b"of somebody else")
    with pytest.raises(FileExistsError) as caught:
        storage.move(folder / "staged", folder / "final")
    assert str(folder / "final") in str(caught.value)
    assert tree(folder) == {"staged/1": b"mine", "final/1": b"of somebody else"}


def test_a_copy_that_was_cut_off_is_written_whole(mounted):
    for name, content in {"staged/1": b"one", "staged/2": b"two", "final/1": b"one", "final/2": b"t"}.items():
        Volume().write_new(mounted / name, content)
    Volume().move(mounted / "staged", mounted / "final")
    assert tree(mounted / "final") == {"1": b"one", "2": b"two"}


def test_a_folder_that_another_process_has_moved_and_cleared_away_is_no_error(mounted, monkeypatch):
    Volume().write_new(mounted / "staged" / "1", b"one")
    read_bytes = Path.read_bytes

    def read_too_late(path):
        Volume().remove(mounted / "staged")
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", read_too_late)
    Volume().move(mounted / "staged", mounted / "final")


def test_a_lock_is_held_by_one(tmp_path):
    lock = LocalFolder().lock
    with lock(tmp_path / "a" / "b.lock") as mine:
        with lock(tmp_path / "a" / "b.lock") as theirs, lock(tmp_path / "a" / "c.lock") as another:
            pass
        program = (
            "import sys; from pathlib import Path; from coinlake.files import LocalFolder\n"
            "with LocalFolder().lock(Path(sys.argv[1])) as free: print(free)"
        )
        command = [sys.executable, "-c", program, str(tmp_path / "a" / "b.lock")]
        elsewhere = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert (mine, theirs, another, elsewhere) == (True, False, True, "False\n")
    with lock(tmp_path / "a" / "b.lock") as again:
        assert again is True
    assert tree(tmp_path) == {}


def test_where_there_are_no_locks_nobody_can_tell(mounted, monkeypatch, tmp_path):
    def unsupported(file, operation):
        raise OSError(errno.ENOTSUP, "not supported")

    with Volume().lock(mounted / "a.lock") as free:
        assert free is None
    monkeypatch.setattr(fcntl, "flock", unsupported)
    with LocalFolder().lock(tmp_path / "a.lock") as free:
        assert free is None
    assert tree(tmp_path) == {}


def test_the_path_says_which_storage_it_is(monkeypatch, tmp_path):
    monkeypatch.delenv("COINLAKE_VOLUMES", raising=False)
    kinds = {
        "/Volumes/coinlake_dev/raw_data/lake/landing": (Volume, "coinlake_dev"),
        "/Volumes/coinlake_dev": (Volume, None),
        "/Volumes": (LocalFolder, None),
        "/VolumesOfMine/a/b": (LocalFolder, None),
        "/home/ann/Volumes/a/b": (LocalFolder, None),
    }
    assert {path: (type(files.at(path)), files.volume_catalog(path)) for path in kinds} == kinds
    monkeypatch.setenv("COINLAKE_VOLUMES", str(tmp_path))
    assert files.volume_catalog(tmp_path / "dev" / "raw_data" / "lake") == "dev"
    assert not files.is_volume("/Volumes/coinlake_dev/raw_data/lake")


REFUSED = {
    "rename": lambda file: file.rename(file.with_name("other")),
    "replace": lambda file: file.replace(file.with_name("other")),
    "rename_folder": lambda file: file.parent.rename(file.parent.with_name("other")),
    "link": lambda file: file.with_name("other").hardlink_to(file),
    "symlink": lambda file: file.with_name("other").symlink_to(file),
    "append": lambda file: file.open("ab"),
    "update": lambda file: file.open("r+b"),
    "write_and_read": lambda file: open(file, "w+"),  # noqa: PTH123, SIM115
    "descriptor": lambda file: os.open(file, os.O_RDWR),
    "truncate": lambda file: os.truncate(file, 1),
}


@pytest.mark.parametrize("operation", REFUSED)
def test_the_folder_refuses_what_a_volume_refuses(mounted, tmp_path, operation):
    for folder in (mounted / "a", tmp_path / "b"):
        folder.mkdir()
        (folder / "file").write_bytes(b"content")
    with pytest.raises(OSError) as caught:
        REFUSED[operation](mounted / "a" / "file")
    assert caught.value.errno in (errno.ENOSYS, errno.ENOTSUP)
    assert tree(mounted) == {"a/file": b"content"}
    done = REFUSED[operation](tmp_path / "b" / "file")
    if operation == "descriptor":
        os.close(done)
    elif hasattr(done, "close"):
        done.close()


def test_a_file_of_the_volume_is_written_from_its_beginning_to_its_end_and_not_locked(mounted):
    with (mounted / "text").open("w", encoding="utf-8") as file:
        file.write("grüezi\n")
        with pytest.raises(OSError):
            file.seek(0)
        with pytest.raises(OSError):
            file.truncate(0)
        with pytest.raises(OSError, match="not supported"):
            fcntl.flock(file, fcntl.LOCK_EX)
        file.write("mitenand\n")
    assert (mounted / "text").read_text(encoding="utf-8") == "grüezi\nmitenand\n"
    with (mounted / "text").open("rb") as file:
        file.seek(8)
        assert file.read() == b"mitenand\n"
