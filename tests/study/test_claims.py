"""A claim is held by one at a time, is void when its holder is gone, and leaves nothing behind; on disk and by URL."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import uuid

import pytest

from coopgym.study import claims
from coopgym.study.claims import claim
from coopgym.study.store import Folder, Remote, store


@pytest.fixture(params=["folder", "memory"])
def place(request, tmp_path):
    return store(tmp_path / "out" if request.param == "folder" else f"memory://{uuid.uuid4().hex}/out")


def made_by(where, key, **changes):
    where.create(f"claims/{key}.000000.json", json.dumps(claims._self() | changes).encode())


def test_only_one_holds_a_claim_and_then_it_is_free_again(place):
    with claim(place, "a") as first, claim(place, "a") as second, claim(place, "b") as other:
        assert (first, second, other) == (True, False, True)
        assert [name.split("/")[1] for name in claims.names(place)] == ["a.000000.json", "b.000000.json"]
    with claim(place, "a") as again:
        assert again
    assert claims.names(place) == []


def test_an_error_inside_gives_it_back(place):
    with pytest.raises(KeyboardInterrupt), claim(place, "a"):
        raise KeyboardInterrupt
    assert claims.names(place) == []


def test_the_claim_of_a_process_that_has_ended_is_void(place):
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    made_by(place, "a", pid=ended.pid, started="1")
    with claim(place, "a") as mine:
        assert mine
        assert len(claims.names(place, "a")) == 2  # outbid
    assert claims.names(place) == []


def test_a_number_that_another_process_has_now_is_not_the_holder(place):
    made_by(place, "a", pid=os.getpid(), started="an earlier life")
    with claim(place, "a") as mine:
        assert mine


def test_a_claim_of_another_machine_is_void_after_a_long_silence(place, monkeypatch):
    made_by(place, "a", place=["elsewhere"])
    with claim(place, "a") as mine:
        assert not mine
    monkeypatch.setattr(claims, "SILENCE", -1.0)
    with claim(place, "a") as mine:
        assert mine


def test_a_claim_is_renewed_while_it_is_held(tmp_path, monkeypatch):
    place, touched = Folder(tmp_path), threading.Event()
    monkeypatch.setattr(claims, "BEAT", 0.01)
    monkeypatch.setattr(Folder, "touch", lambda self, name: touched.set())
    with claim(place, "a"):
        assert touched.wait(5.0)


def test_a_claim_that_was_cut_off_is_void_after_a_while(place, monkeypatch):
    place.create("claims/a.000000.json", b'{"pid"')
    with claim(place, "a") as mine:
        assert not mine
    monkeypatch.setattr(claims, "BEAT", -1.0)
    with claim(place, "a") as mine:
        assert mine


def test_of_many_who_outbid_a_void_claim_one_gets_it(tmp_path):
    place = Folder(tmp_path)
    made_by(place, "a", pid=os.getpid(), started="an earlier life")
    together, got = threading.Barrier(8), []

    def bid():
        together.wait()
        with claim(place, "a") as mine:
            got.append(mine)
            together.wait()

    threads = [threading.Thread(target=bid) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == [False] * 7 + [True]


def test_a_store_keeps_names_and_content(place):
    assert place.names("runs", ".parquet") == []
    place.write("runs/b.parquet", b"1")
    place.write("runs/a.parquet", b"2")
    place.write("runs/.hidden.parquet", b"3")
    assert place.names("runs", ".parquet") == ["runs/a.parquet", "runs/b.parquet"]
    assert place.read("runs/b.parquet") == b"1"
    place.write("runs/b.parquet", b"4")
    assert place.read("runs/b.parquet") == b"4"
    place.rename("runs/b.parquet", "runs/b.damaged")
    assert not place.exists("runs/b.parquet") and place.exists("runs/b.damaged")
    place.remove("runs/b.damaged")
    place.remove("runs/b.damaged")
    assert (place.create("runs/c", b"1"), place.create("runs/c", b"2")) == (True, False)
    assert place.age("runs/c") < 60.0 and place.age("runs/none") is None
    with pytest.raises(OSError):
        place.read("runs/none")


def test_a_path_a_file_url_and_another_url(tmp_path):
    assert store(f"file://{tmp_path}/x").local == tmp_path / "x"
    assert isinstance(store("memory://x"), Remote)
    with pytest.raises(ValueError, match="out='nothing://x' cannot be reached"):
        store("nothing://x")
