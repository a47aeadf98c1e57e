"""Files are whole or absent, have the umask's mode, and never take the place of what somebody else has written."""

from __future__ import annotations

import os
import stat

import pytest

from coopgym import files
from coopgym.files import OverwriteError, build_folder


def listing(folder):
    """Content of every file by name."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("umask", [0o022, 0o002, 0o077])
def test_modes_follow_the_umask(tmp_path, umask):
    before = os.umask(umask)
    try:
        files.write_atomically(tmp_path / "new", b"1")
        with files.atomic_path(tmp_path / "library") as place:
            place.unlink()
            os.close(os.open(place, os.O_CREAT | os.O_WRONLY, 0o600))
        with build_folder(tmp_path / "folder", "data set") as place:
            files.write_atomically(place / "inner", b"1")
    finally:
        os.umask(before)
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("new", "library", "folder/inner", "folder")]
    assert modes == [0o666 & ~umask] * 3 + [0o777 & ~umask]


def test_a_failed_write_leaves_what_was_there(tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(KeyError), files.atomic_file(tmp_path / "a") as file:
        file.write(b"half")
        raise KeyError
    assert listing(tmp_path) == {"a": b"old"}


def test_a_folder_that_was_built_is_replaced_whole(tmp_path):
    for names in (("a", "b/c"), ("b/d",)):
        with build_folder(tmp_path / "x", "data set") as place:
            for name in names:
                (place / name).parent.mkdir(exist_ok=True)
                (place / name).write_text(name)
        assert set(listing(tmp_path / "x")) == {*names, files.MARKER}
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_an_empty_folder_is_filled_where_it_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with build_folder(tmp_path, "data set") as place:
        (place / "a").write_text("1")
    assert set(os.listdir()) == {"a", files.MARKER}  # the working folder is still the same one


@pytest.mark.parametrize("harm", ["foreign file", "added", "changed", "empty folder", "link", "other kind", "marker"])
def test_nothing_of_somebody_else_is_replaced(tmp_path, harm):
    target = tmp_path / "x"
    if harm == "foreign file":
        target.write_text("a file")
    else:
        with build_folder(target, "other" if harm == "other kind" else "data set") as place:
            (place / "own").write_text("own")
    if harm == "added":
        (target / "notes.txt").write_text("mine")
    if harm == "changed":
        (target / "own").write_text("edited by hand")
    if harm == "empty folder":
        (target / "sub").mkdir()
    if harm == "link":
        (target / "link").symlink_to(tmp_path)
    if harm == "marker":
        (target / files.MARKER).write_text("[" * 100_000)
    before = listing(tmp_path)
    with pytest.raises(OverwriteError, match=r"move it away|name of a folder"), build_folder(target, "data set"):
        pytest.fail("the block must not begin")
    assert listing(tmp_path) == before


def test_what_arrives_while_a_folder_is_built_is_kept(tmp_path):
    with pytest.raises(OverwriteError, match=r"notes\.txt"), build_folder(tmp_path / "x", "data set") as place:
        (place / "own").write_text("own")
        (tmp_path / "x").mkdir()
        (tmp_path / "x" / "notes.txt").write_text("mine")
    assert listing(tmp_path) == {"x/notes.txt": b"mine"}


def test_what_is_set_aside_takes_a_free_name(tmp_path):
    (tmp_path / "part.aside").write_text("older")
    for content in ("first", "second"):
        (tmp_path / "part.dat").write_text(content)
        files.set_aside(tmp_path / "part.dat", ".aside")
    assert listing(tmp_path) == {"part.aside": b"older", "part-2.aside": b"first", "part-3.aside": b"second"}


def test_only_own_leftovers_are_swept(tmp_path):
    with pytest.raises(KeyError), files.atomic_path(tmp_path / "a") as place:
        os.link(place, kept := tmp_path / f"{place.name[:-30]}{place.name[-30:]}x")
        raise KeyError
    os.rename(kept, tmp_path / place.name)
    (tmp_path / ".notes.tmp").write_text("mine")
    (tmp_path / ".notes.coopgym.tmp").write_text("mine")
    files.sweep(tmp_path)
    assert set(listing(tmp_path)) == {".notes.tmp", ".notes.coopgym.tmp"}


@pytest.mark.parametrize(
    "name", ["../x", "/etc/passwd", "a/../../b", "", "a//b", ".", "a\\b", "a\0b", None, 3, "link/x"]
)
def test_names_do_not_leave_their_folder(tmp_path, name):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path)
    with pytest.raises(ValueError, match=r"is not the name of a file|leads out of"):
        files.inside(folder, name)
    assert files.inside(folder, "policies/run-1.json") == folder / "policies" / "run-1.json"


def test_a_private_folder_is_nobody_elses(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    made = files.private_folder("abc")
    assert stat.S_IMODE(made.stat().st_mode) == stat.S_IMODE(made.parent.stat().st_mode) == 0o700
    made.rmdir()
    made.symlink_to(tmp_path)
    with pytest.raises(OSError, match="is not a folder of this user"):
        files.private_folder("abc")
