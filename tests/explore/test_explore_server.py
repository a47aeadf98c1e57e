"""Only the page itself may speak to the server, and nothing that it is sent makes it fail."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import json
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from listening import listening
from typer.testing import CliRunner

import coopgym
from coopgym.algorithms.policy import FixedPolicy
from coopgym.cli.commands import app as commands
from coopgym.explore import serve as serving
from coopgym.explore.guard import Doors
from coopgym.explore.messages import MAX_BODY
from coopgym.explore.players import Saved
from coopgym.explore.server import API, make_app

HERE = "http://127.0.0.1:8000"
NAMES = ["new", "marks", *API]
ANSWERS = {200, 404, 413, 415, 422}


class Caller:
    """Requests straight into an application, in a loop of its own; what it raises is raised here."""

    def __init__(self, app, runner) -> None:
        self.app, self.runner = app, runner

    def __call__(self, method, path, *, headers=None, **content):
        headers = {"Origin": HERE} | (headers or {})

        async def ask():
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=HERE) as client:
                kept = {name: value for name, value in headers.items() if value is not None}
                return await client.request(method, path, headers=kept, **content)

        return self.runner.run(ask())

    def post(self, name, message, **headers):
        return self("POST", f"/api/{name}", json=message, headers=headers)

    def open(self, game="TrustDilemma-v1"):
        return self.post("new", {"game": game}).json()


@pytest.fixture
def call():
    with asyncio.Runner() as runner:
        yield Caller(make_app(limit=3), runner)


def refused(answer, status, *words):
    assert answer.status_code == status
    reason = answer.json()["error"]
    assert "\n" not in reason
    assert all(word in reason for word in words), reason


def test_the_page_is_one_file_beside_the_library_of_charts(call):
    front = call("GET", "/")
    assert front.status_code == 200
    assert "http" not in front.text.replace("http://www.w3.org/2000/svg", "")  # nothing is asked for elsewhere
    assert front.text.count(" src=") == 1
    assert "plotly.js" in call("GET", "/charts.js").text[:200]
    start = front.text.split('id="start">')[1].split("</script>")[0]
    assert json.loads(start)["game"] == "TrustDilemma-v1"


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("GET", "/charts.js"), ("POST", "/api/new"), ("GET", "/x")])
def test_every_answer_carries_the_headers_that_shut_others_out(call, method, path):
    headers = call(method, path).headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy.split("script-src")[1].split(";")[0]


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example:8000", "127.0.0.1:8001", "127.0.0.1", "localhost@x:8000", "", "0:8000"],
)
def test_another_host_is_refused(call, host):
    refused(call("GET", "/", headers={"Host": host}), 403, "Host")
    refused(call("POST", "/api/new", headers={"Host": host, "Origin": f"http://{host}"}), 403, "Host")


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "LOCALHOST:8000", "[::1]:8000"])
def test_the_names_of_this_machine_are_served(call, host):
    assert call("GET", "/", headers={"Host": host}).status_code == 200
    posted = call.post("new", {"game": "SLCD-v1"}, Host=host, Origin=f"http://{host}")
    assert posted.status_code == 200


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "https://127.0.0.1:8000", "http://127.0.0.1:8001", "http://localhost:8000", ""],
)
@pytest.mark.parametrize("name", NAMES)
def test_a_post_of_another_page_is_refused(call, name, origin):
    refused(call.post(name, {"game": "SLCD-v1"}, Origin=origin), 403, "Origin")
    assert len(call.app.state.sessions) == 0


def test_a_post_without_an_origin_is_refused(call):
    refused(call.post("new", {"game": "SLCD-v1"}, Origin=None), 403, "Origin is missing")


def test_methods_and_kinds_of_content_that_no_page_of_ours_uses(call):
    assert call("GET", "/api/new").status_code == 405
    assert call("POST", "/").status_code == 405
    assert call("GET", "/assets/../../etc/passwd").status_code == 404
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        refused(call("POST", "/api/new", content=b"{}", headers={"Content-Type": kind}), 415, "application/json")


def test_a_long_message_is_refused_wherever_it_ends(call):
    headers = {"Content-Type": "application/json"}
    refused(call("POST", "/api/step", content=b" " * (MAX_BODY + 1), headers=headers), 413, str(MAX_BODY))

    async def pieces():
        for _ in range(1000):
            yield b"[" * 1000

    refused(call("POST", "/api/step", content=pieces(), headers=headers), 413, "send less")


def test_the_session_that_was_used_least_recently_gives_way(call):
    tokens = [call.open()["session"] for _ in range(3)]
    assert call.post("state", {"session": tokens[0]}).status_code == 200
    tokens.append(call.open()["session"])
    assert len(call.app.state.sessions) == 3
    assert len(set(tokens)) == 4
    refused(call.post("state", {"session": tokens[1]}), 404, "not open any more")
    assert all(call.post("state", {"session": tokens[k]}).status_code == 200 for k in (0, 2, 3))


def test_a_game_is_played_through_the_messages(call):
    opened = call.open("PartnerHoldUp-v1")
    token = {"session": opened["session"]}
    assert [agent["name"] for agent in opened["facts"]["agents"]] == ["buyer_0", "supplier_1"]
    call.post("seats", token | {"seats": ["you", "TitForTat"]})
    played = call.post("step", token | {"actions": [60, 0], "count": 3}).json()
    mixed = call.post("mode", token | {"mode": {"kind": "cooperative"}}).json()
    assert [m["payoffs"] for m in mixed["moves"]] == [m["payoffs"] for m in played["moves"]]
    assert mixed["moves"][0]["rewards"] == pytest.approx([sum(played["moves"][0]["payoffs"]) / 2] * 2)
    assert call.post("marks", token).json()["mode"] == "cooperative"
    assert call.post("reset", token | {"seed": 4}).json()["step"] == 0
    refused(call.post("seats", token | {"seats": ["you", "/etc/passwd"]}), 422, "'/etc/passwd' does not play")


def test_a_saved_policy_that_is_gone_is_refused_like_any_other_name(tmp_path):
    def gone():
        raise FileNotFoundError("policy.json is gone")

    saved = [Saved("IPPO", "SLCD-v1", coopgym.game("SLCD-v1").hash, gone)]
    with asyncio.Runner() as runner:
        call = Caller(make_app(saved=saved), runner)
        opened = call.open("SLCD-v1")
        assert opened["facts"]["policies"][-1] == {"name": "run:0", "label": "IPPO"}
        token = {"session": opened["session"]}
        refused(call.post("seats", token | {"seats": ["run:0", "you"]}), 422, "policy.json is gone")
        assert call.post("state", token).json()["seats"] == ["you", "you"]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
names = st.sampled_from(["you", "TitForTat", "Random", "Constant_101", "run:0", "Nash\n"]) | st.text()
modes = st.fixed_dictionaries({}, optional={"kind": st.sampled_from(["private", "cooperative"]), "mutuality": values})
near = st.fixed_dictionaries(
    {},
    optional={
        "actions": st.lists(st.floats() | st.integers(-5, 10**400), max_size=3) | values,
        "count": st.integers(-2, 2000) | values,
        "seed": st.integers(-1, 2**33) | values,
        "seats": st.lists(names, max_size=3),
        "mode": modes | values,
        "game": st.sampled_from(["SLCD-v1", "SLCD-v9", "\ud800", "a" * 70]) | values,
        "options": st.dictionaries(st.sampled_from(["phase", "tension", "max_steps"]), st.text(max_size=5) | values),
    },
)


@pytest.fixture(scope="module")
def played():
    """An application with a game that is open for all examples."""
    with asyncio.Runner() as runner:
        call = Caller(make_app(limit=500), runner)
        yield call, call.open()["session"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), name=st.sampled_from(NAMES))
def test_nothing_that_is_sent_makes_it_fail(played, data, name):
    call, token = played
    body = data.draw(
        st.binary(max_size=60)
        | values.map(lambda x: json.dumps(x).encode())
        | near.map(lambda x: json.dumps({"session": token, **x}).encode())
        | near.map(lambda x: json.dumps(x).encode())
    )
    answer = call("POST", f"/api/{name}", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in ANSWERS
    said = answer.json()
    if answer.status_code != 200:
        assert list(said) == ["error"] and said["error"].isprintable() and len(said["error"]) < 1200
    else:
        assert "nan" not in answer.text.lower() and "infinity" not in answer.text.lower()
    call.post("reset", {"session": token})
    stepped = call.post("step", {"session": token, "actions": [40, 40]})
    assert stepped.json()["step"] == 1


# --- the address


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_addresses_of_this_machine_need_no_leave(host):
    assert serving.checked(host, False) in (host, "127.0.0.1")


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.0.7", "example.org", "", "localhost.evil.example", "2130706433"]
)
def test_an_address_beyond_this_machine_needs_leave(host):
    with pytest.raises(ValueError, match="--allow-remote"):
        serving.checked(host, False)
    with pytest.warns(UserWarning, match="no password"):
        assert serving.checked(host, True) == host


def test_where_others_may_come_in_a_name_may_still_not():
    doors = Doors(8000, ("localhost", "play.example"), addresses=True)
    assert all(map(doors.open_to, ["10.0.0.3:8000", "[fe80::1]:8000", "play.example:8000"]))
    assert not any(map(doors.open_to, ["evil.example:8000", "10.0.0.3:80", "10.0.0:8000", "play.example"]))


def test_doors_of_an_address_that_others_reach():
    doors = serving.doors_of("0.0.0.0", 8000)
    assert doors.names[0] == socket.gethostname().lower()
    assert doors.open_to(f"{doors.names[0]}:8000") and doors.open_to("10.1.2.3:8000")
    assert serving.doors_of("192.168.0.7", 80).names[0] == "192.168.0.7"
    assert serving.doors_of("::1", 80).names == ("[::1]", "127.0.0.1", "localhost")
    assert not serving.doors_of("127.0.0.1", 80).open_to("10.1.2.3:80")


def test_a_port_that_is_taken_is_said_in_one_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = CliRunner().invoke(commands, ["explore", "--port", str(port)])
    assert ended.exit_code == 2
    assert f"port {port} of 127.0.0.1 cannot be used" in ended.stderr
    assert "--port 0" in ended.stderr and ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["TrustDilema-v1"], "did you mean 'TrustDilemma-v1'"),
        (["--host", "0.0.0.0"], "--allow-remote"),
        (["--port", "70000"], "port=70000 is out of range"),
        (["--run", "no/such/folder"], "no/such/folder"),
    ],
)
def test_the_command_refuses_in_one_line(arguments, reason):
    ended = CliRunner().invoke(commands, ["explore", *arguments])
    assert (ended.exit_code, ended.stderr.count("\n")) == (2, 1)
    assert reason in ended.stderr


def test_a_missing_library_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "coopgym.explore.serve", None)
    ended = CliRunner().invoke(commands, ["explore"])
    assert ended.exit_code == 1
    assert 'pip install "coopgym[explore]"' in ended.stderr


def test_an_interrupt_ends_it_with_130_and_no_word(monkeypatch):
    def interrupted(*arguments, tell, **options):
        tell("http://127.0.0.1:1/")
        raise KeyboardInterrupt

    monkeypatch.setattr(serving, "serve", interrupted)
    ended = CliRunner().invoke(commands, ["explore"])
    assert (ended.exit_code, ended.stderr) == (130, "")
    assert "play at http://127.0.0.1:1/" in ended.stdout


def test_it_listens_and_answers_over_a_real_socket():
    with listening() as here, httpx.Client(base_url=here, timeout=60.0) as client:
        assert "coopgym" in client.get("/").text
        opened = client.post("/api/new", json={"game": "SLCD-v1"}, headers={"Origin": here}).json()
        assert opened["facts"]["id"] == "SLCD-v1"
        assert client.get("/", headers={"Host": "evil.example"}).status_code == 403


@pytest.fixture
def served(monkeypatch):
    """served(...): the application that ``serve`` would run, and what it told."""

    def served(*arguments, **options):
        made, told = [], []

        class Server:
            def run(self, sockets):
                assert sockets[0].getsockname()[1] > 0

        monkeypatch.setattr(serving, "made", lambda app: made.append(app) or Server())
        serving.serve(*arguments, port=0, tell=told.append, **options)
        with asyncio.Runner() as runner:
            address = told[0].removeprefix("http://").rstrip("/")
            here = {"Host": address, "Origin": f"http://{address}"}
            return told[0], Caller(made[0], runner)("GET", "/", headers=here).text

    return served


def test_the_page_opens_with_the_game_that_was_named_or_that_of_the_run(served, tmp_path):
    FixedPolicy(coopgym.game("SLCD-v1"), 0.3, "Mine").save(tmp_path / "mine")
    url, page = served("PublicGoods-v0")
    assert url.startswith("http://127.0.0.1:") and '"game": "PublicGoods-v0"' in page
    assert '"game": "TrustDilemma-v1"' in served()[1]
    assert '"game": "SLCD-v1"' in served(runs=[tmp_path / "mine.json"])[1]
    assert '"game": "GiftExchange-v1"' in served("GiftExchange", runs=[tmp_path / "mine.json"])[1]


def test_any_address_of_127_is_its_own_door(served):
    url, page = served(host="127.0.0.2")
    assert url.startswith("http://127.0.0.2:") and "coopgym" in page


BUSY = """
import sys, time
from coopgym.explore import server
def slow(game, mode):
    print("solving", flush=True)
    end = time.monotonic() + 100.0
    while time.monotonic() < end:
        sum(range(1000))
server.marks = slow
from coopgym.cli import main
main(["explore", "SLCD-v1", "--port", "0"])
"""


def ask(port, name, message):
    headers = {"Origin": f"http://127.0.0.1:{port}"}
    return httpx.post(f"http://127.0.0.1:{port}/api/{name}", json=message, headers=headers, timeout=60.0)


def test_ctrl_c_ends_the_server_at_once_even_while_it_solves():
    with subprocess.Popen([sys.executable, "-c", BUSY], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as p:
        assert p.stdout is not None and p.stderr is not None
        port = int(p.stdout.readline().split("http://127.0.0.1:")[1].split("/")[0])
        token = ask(port, "new", {"game": "SLCD-v1"}).json()["session"]
        with concurrent.futures.ThreadPoolExecutor() as pool:
            asked = pool.submit(ask, port, "marks", {"session": token})
            assert p.stdout.readline() == "solving\n"
            began = time.monotonic()
            p.send_signal(signal.SIGINT)
            assert p.wait() == 130 and time.monotonic() - began < 10.0  # of the hundred that the solve would take
            assert asked.result().status_code == 503 and "has ended" in asked.result().json()["error"]
            assert "Traceback" not in p.stderr.read()


@pytest.mark.parametrize(
    "sent", [b"", b"GET / HT", b"POST /api/new HTTP/1.1\r\nHost: {host}\r\nContent-Length: 9\r\n\r\n"]
)
def test_connections_that_only_wait_shut_nobody_out(sent):
    with listening() as here, contextlib.ExitStack() as kept:
        port = int(here.rpartition(":")[2])
        for _ in range(150):
            one = kept.enter_context(socket.create_connection(("127.0.0.1", port)))
            with contextlib.suppress(OSError):  # it may have been closed already
                one.sendall(sent.replace(b"{host}", b"127.0.0.1:%d" % port))
        for _ in range(3):
            assert httpx.get(here, timeout=30.0).status_code == 200
